"""How pixels are scaled, everywhere: Lanczos, and never twice where it would show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    from process_image.image.geometry import Box, Size

# What was scaled before has, in a row, at least this many times the pixels of what is made of it, unless it
# is the largest there is: what the first step took away is then finer than the second can show.
HEADROOM: Final = 1.5

# Beyond this ratio whole blocks of pixels are averaged first, which is faster and looks the same.
_REDUCING_GAP: Final = 3.0


def scale(image: Image.Image, size: Size, box: Box | None = None) -> Image.Image:
    """Scale an image, or a box of it (left, top, right, bottom), to a size."""
    return image.resize(size, Image.Resampling.LANCZOS, box, _REDUCING_GAP)
