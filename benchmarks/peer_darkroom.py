"""Darkroom's own core. With `--stock` it finds no resizer but Pillow's."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

from benchmarks.child import serve
from benchmarks.work import MARGIN, WATERMARK_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.child import Renderer
    from benchmarks.work import Work

RESIZER = "cykooz_resizer"

if "--stock" in sys.argv:
    sys.modules[RESIZER] = None  # type: ignore[assignment] # importing it fails, as where it is not installed

from process_image.image import Limits, Variant, Watermark, render  # noqa: E402 - after the line above

LIMITS = Limits(max_bytes=100_000_000, max_pixels=100_000_000)


def prepare(work: Work, picture: bytes, watermark: bytes) -> Renderer:
    """Return a renderer that makes all derivatives in one call."""
    variants = [
        Variant(
            name=one.name,
            width=one.side,
            height=one.side,
            format=one.format,
            quality=one.quality,
            # As wide as its image is, so that it is laid over unscaled, and where the others lay theirs.
            watermark=Watermark(image=watermark, scale=WATERMARK_SIZE[0] / work.size[0], opacity=1, margin=MARGIN)
            if one.watermark
            else None,
        )
        for one in work.derivatives
    ]

    def work_once() -> Iterator[bytes]:
        for derivative in render(picture, variants, LIMITS).derivatives:
            yield derivative.data

    return work_once


if __name__ == "__main__":
    versions = {"Pillow": metadata.version("pillow")}
    if RESIZER in sys.modules and sys.modules[RESIZER] is not None:
        versions[RESIZER] = metadata.version(RESIZER)
    serve(prepare, versions)
