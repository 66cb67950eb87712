"""How large the picture gets and which part of it shows. Sizes are (width, height) in pixels."""

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
        frame: The size that the whole picture is scaled to.
        canvas: The derivative's size. Where the frame is larger it is cut off, where it is smaller the
            background shows.
    """

    frame: Size
    canvas: Size

    @property
    def visible(self) -> Size:
        """The size of what remains of the picture."""
        return min(self.frame[0], self.canvas[0]), min(self.frame[1], self.canvas[1])

    @property
    def offset(self) -> tuple[int, int]:
        """Where on the canvas the picture begins (left, top)."""
        return (self.canvas[0] - self.visible[0]) // 2, (self.canvas[1] - self.visible[1]) // 2

    def cut(self, whole: Size) -> Box:
        """The box to cut out of the whole picture, given at another size (left, top, right, bottom)."""
        (left, right), (top, bottom) = (
            # Multiplied before divided: exact where `whole` is the frame, and never beyond the edge.
            ((frame - part) // 2 * side / frame, ((frame - part) // 2 + part) * side / frame)
            for frame, part, side in zip(self.frame, self.visible, whole, strict=True)
        )
        return left, top, right, bottom


def lay_out(source: Size, variant: Variant) -> Layout:
    """Find out how a variant shows a picture of the size `source`."""
    box = (variant.width or MAX_SIDE, variant.height or MAX_SIDE)
    to_fit = [side / length for side, length in zip(box, source, strict=True)]
    wanted = max(to_fit) if variant.fit == "cover" else min(to_fit)
    scale = wanted if variant.enlarge else min(wanted, 1.0)
    frame = _scaled(source, scale)
    if variant.fit == "inside":
        return Layout(frame, frame)
    if variant.fit == "contain":
        return Layout(frame, box)
    # Not enlarged, the picture cannot fill the box: the box shrinks until it can.
    width, height = _scaled(box, scale / wanted)
    return Layout(frame, (min(width, frame[0]), min(height, frame[1])))


def place(patch: Size, canvas: Size, position: Position, margin: int) -> tuple[int, int]:
    """Find the left upper corner of a patch at one of nine places on a canvas.

    A patch that does not fit between the margins keeps to the left upper edge, never outside of the canvas.
    """
    across = 0 if "left" in position else 2 if "right" in position else 1
    down = 0 if "top" in position else 2 if "bottom" in position else 1
    left, top = (
        max(0, (margin, (room - length) // 2, room - length - margin)[anchor])
        for length, room, anchor in zip(patch, canvas, (across, down), strict=True)
    )
    return left, top


def scaled_into(size: Size, box: Size) -> Size:
    """Scale a size, up or down, to the largest of its proportions in a box."""
    return _scaled(size, min(side / length for side, length in zip(box, size, strict=True)))


def _scaled(size: Size, scale: float) -> Size:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
