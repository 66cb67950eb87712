"""Pillow as one writes it at first: everything in full size, then scale, and again for each derivative."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import PIL
from PIL import Image, ImageCms, ImageOps

from benchmarks.child import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.child import Renderer
    from benchmarks.work import Work


def prepare(work: Work, picture: bytes, watermark: bytes) -> Renderer:
    """Return a renderer that decodes once, and makes every derivative from the full size."""
    mark = Image.open(BytesIO(watermark)).convert("RGBA")

    def work_once() -> Iterator[bytes]:
        original = upright_srgb(picture)
        for one in work.derivatives:
            image = original.copy()
            image.thumbnail((one.side, one.side), Image.Resampling.LANCZOS)
            if one.format == "jpeg" and image.mode == "RGBA":
                white = Image.new("RGB", image.size, "white")
                white.paste(image, mask=image)
                image = white
            if one.watermark:
                image.paste(mark, one.watermark, mark)
            image.info.clear()
            file = BytesIO()
            image.save(file, one.format, quality=one.quality)
            yield file.getvalue()

    return work_once


def upright_srgb(data: bytes) -> Image.Image:
    """Decode in full size, turn upright, and convert the colours; RGBA where the file has alpha."""
    image = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    profile = image.info.get("icc_profile")
    image = image.convert(mode)
    if profile:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, source, target) or image
    return image


if __name__ == "__main__":
    serve(prepare, {"Pillow": PIL.__version__})
