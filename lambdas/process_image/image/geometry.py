"""Size and visible part of a picture in a derivative. Sizes are (width, height) in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from process_image.image.variants import MAX_SIDE

if TYPE_CHECKING:
    from process_image.image.variants import Position, Variant

Size: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture on a canvas, one centred on the other.

    Attributes:
        frame: Size of the whole picture after scaling.
        canvas: Size of the derivative. A larger frame is cropped; around a smaller one the background is visible.
    """

    frame: Size
    canvas: Size

    @property
    def visible(self) -> Size:
        """Size of the visible part of the picture."""
        return min(self.frame[0], self.canvas[0]), min(self.frame[1], self.canvas[1])

    @property
    def offset(self) -> tuple[int, int]:
        """Position of the picture on the canvas (left, top)."""
        return (self.canvas[0] - self.visible[0]) // 2, (self.canvas[1] - self.visible[1]) // 2

    def cut(self, whole: Size) -> Box:
        """Return the box to crop from the whole picture at another size (left, top, right, bottom)."""
        (left, right), (top, bottom) = (
            # Multiply before dividing: the result is exact if `whole` is the frame, and never exceeds the edge.
            ((frame - part) // 2 * side / frame, ((frame - part) // 2 + part) * side / frame)
            for frame, part, side in zip(self.frame, self.visible, whole, strict=True)
        )
        return left, top, right, bottom


def lay_out(source: Size, variant: Variant) -> Layout:
    """Return the layout of a picture of the size `source` in a variant."""
    box = (variant.width or MAX_SIDE, variant.height or MAX_SIDE)
    to_fit = [side / length for side, length in zip(box, source, strict=True)]
    wanted = max(to_fit) if variant.fit == "cover" else min(to_fit)
    scale = wanted if variant.enlarge else min(wanted, 1.0)
    frame = _scaled(source, scale)
    if variant.fit == "inside":
        return Layout(frame, frame)
    if variant.fit == "contain":
        return Layout(frame, box)
    # Without enlarging, a small picture cannot fill the box, so the box shrinks.
    width, height = _scaled(box, scale / wanted)
    return Layout(frame, (min(width, frame[0]), min(height, frame[1])))


def place(patch: Size, canvas: Size, position: Position, margin: int) -> tuple[int, int]:
    """Return the left upper corner of a patch at one of nine positions on a canvas.

    A patch that does not fit between the margins is at the left upper edge, never outside of the canvas.
    """
    across = 0 if "left" in position else 2 if "right" in position else 1
    down = 0 if "top" in position else 2 if "bottom" in position else 1
    left, top = (
        max(0, (margin, (room - length) // 2, room - length - margin)[anchor])
        for length, room, anchor in zip(patch, canvas, (across, down), strict=True)
    )
    return left, top


def scaled_into(size: Size, box: Size) -> Size:
    """Return the largest size with the same proportions that fits into a box."""
    return _scaled(size, min(side / length for side, length in zip(box, size, strict=True)))


def _scaled(size: Size, scale: float) -> Size:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
