"""libvips through pyvips, as its documentation advises for thumbnails: `thumbnail_buffer`, once a derivative."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.child import serve

os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.child import Renderer
    from benchmarks.work import Work


def prepare(work: Work, picture: bytes, watermark: bytes) -> Renderer:
    """Return a renderer with one pipeline per derivative; libvips turns the picture upright automatically."""
    pyvips.cache_set_max(0)  # each round decodes again
    # Where there is no profile, asking for a conversion would convert from sRGB to sRGB, at length.
    has_profile = pyvips.Image.new_from_buffer(picture, "").get_typeof("icc-profile-data")
    colours = {"output_profile": "srgb", "intent": "perceptual"} if has_profile else {}
    mark = pyvips.Image.new_from_buffer(watermark, "").copy_memory()

    def work_once() -> Iterator[bytes]:
        for one in work.derivatives:
            image = pyvips.Image.thumbnail_buffer(picture, one.side, height=one.side, size="down", **colours)
            if one.format == "jpeg" and image.hasalpha():
                image = image.flatten(background=[255, 255, 255])
            if one.watermark:
                left, top = one.watermark
                image = image.composite2(mark, "over", x=left, y=top).flatten()
            if one.format == "jpeg":
                yield image.jpegsave_buffer(Q=one.quality, optimize_coding=True, keep="none")
            else:
                yield image.webpsave_buffer(Q=one.quality, effort=4, keep="none")

    return work_once


if __name__ == "__main__":
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    serve(prepare, {"pyvips": pyvips.__version__, "libvips": libvips})
