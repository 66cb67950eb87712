from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from process_image.image import Variant
from process_image.image.geometry import Size, lay_out, place, scaled_into
from process_image.image.variants import MAX_SIDE, POSITIONS, Fit, Position

pictures = st.tuples(st.integers(1, 60_000), st.integers(1, 60_000))
sides = st.integers(1, MAX_SIDE)
boxes = st.tuples(sides, sides)
half_open_boxes = boxes | st.tuples(sides, st.none()) | st.tuples(st.none(), sides)


def variant(box: tuple[int | None, int | None], fit: Fit, *, enlarge: bool) -> Variant:
    return Variant(name="v", width=box[0], height=box[1], fit=fit, enlarge=enlarge)


def assert_proportional(scaled: Size, original: Size) -> None:
    """Check that one scale gives both sides, rounded to at least one whole pixel."""
    scales = []
    for side, length in zip(scaled, original, strict=True):
        least = 0.0 if side == 1 else (side - 0.5) / length
        scales.append((least - 1e-9, (side + 0.5) / length + 1e-9))
    assert max(low for low, _ in scales) <= min(high for _, high in scales)


@given(pictures, half_open_boxes, st.booleans())
@example((60_000, 1), (None, 5), True)
def test_inside_fits_the_box(picture: Size, box: tuple[int | None, int | None], enlarge: bool) -> None:
    layout = lay_out(picture, variant(box, "inside", enlarge=enlarge))
    assert layout.canvas == layout.frame == layout.visible
    for side, bound in zip(layout.canvas, box, strict=True):
        assert 1 <= side <= (bound or MAX_SIDE)
    assert_proportional(layout.canvas, picture)
    if not enlarge:
        assert layout.frame[0] <= picture[0]
        assert layout.frame[1] <= picture[1]


@given(pictures, boxes)
def test_inside_is_as_large_as_possible(picture: Size, box: Size) -> None:
    enlarged = lay_out(picture, variant(box, "inside", enlarge=True)).canvas
    assert enlarged[0] == box[0] or enlarged[1] == box[1]
    kept = lay_out(picture, variant(box, "inside", enlarge=False)).canvas
    assert kept == (picture if picture[0] <= box[0] and picture[1] <= box[1] else enlarged)


@given(pictures, boxes)
def test_cover_with_enlarge_fills_the_box(picture: Size, box: Size) -> None:
    layout = lay_out(picture, variant(box, "cover", enlarge=True))
    assert layout.canvas == layout.visible == box


@given(pictures, boxes)
def test_cover_without_enlarging_crops_only(picture: Size, box: Size) -> None:
    layout = lay_out(picture, variant(box, "cover", enlarge=False))
    assert layout.canvas == layout.visible
    for side, bound, length in zip(layout.canvas, box, picture, strict=True):
        assert 1 <= side <= min(bound, length)
    assert_proportional(layout.canvas, box)
    assert_proportional(layout.frame, picture)
    if picture[0] >= box[0] and picture[1] >= box[1]:
        assert layout.canvas == box
    else:
        assert layout.frame == picture
        assert layout.canvas[0] == picture[0] or layout.canvas[1] == picture[1]


@given(pictures, boxes, st.booleans())
def test_contain_fills_the_whole_box(picture: Size, box: Size, enlarge: bool) -> None:
    layout = lay_out(picture, variant(box, "contain", enlarge=enlarge))
    assert layout.canvas == box
    assert layout.visible == layout.frame == lay_out(picture, variant(box, "inside", enlarge=enlarge)).frame


@given(pictures, boxes, st.sampled_from(["inside", "cover", "contain"]), st.booleans(), st.floats(0.01, 1))
def test_crop_is_centred_and_inside(picture: Size, box: Size, fit: Fit, enlarge: bool, scale: float) -> None:
    layout = lay_out(picture, variant(box, fit, enlarge=enlarge))
    whole = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    left, top, right, bottom = layout.cut(whole)
    for low, high, side, frame in zip((left, top), (right, bottom), whole, layout.frame, strict=True):
        assert 0 <= low < high <= side
        assert abs(low - (side - high)) <= 1.001 * side / frame
    if fit != "cover":
        assert (left, top, right, bottom) == (0, 0, *whole)


@given(pictures, boxes, st.sampled_from(["inside", "cover", "contain"]), st.booleans())
def test_crop_of_the_frame_is_whole_pixels(picture: Size, box: Size, fit: Fit, enlarge: bool) -> None:
    layout = lay_out(picture, variant(box, fit, enlarge=enlarge))
    left, top, right, bottom = layout.cut(layout.frame)
    assert all(edge == int(edge) for edge in (left, top, right, bottom))
    assert (right - left, bottom - top) == layout.visible


@given(boxes, boxes)
def test_scaled_into_fits_the_box(size: Size, box: Size) -> None:
    scaled = scaled_into(size, box)
    assert scaled[0] <= box[0]
    assert scaled[1] <= box[1]
    assert scaled[0] == box[0] or scaled[1] == box[1]
    assert_proportional(scaled, size)


@given(boxes, st.data(), st.sampled_from(POSITIONS), st.floats(0, 0.5))
def test_patch_is_inside_the_canvas(canvas: Size, data: st.DataObject, position: Position, share: float) -> None:
    margin = round(share * min(canvas))
    patch = (
        data.draw(st.integers(1, max(1, canvas[0] - 2 * margin))),
        data.draw(st.integers(1, max(1, canvas[1] - 2 * margin))),
    )
    left, top = place(patch, canvas, position, margin)
    assert 0 <= left <= canvas[0] - patch[0]
    assert 0 <= top <= canvas[1] - patch[1]


def test_the_nine_positions() -> None:
    assert {position: place((20, 10), (100, 80), position, 5) for position in POSITIONS} == {
        "top-left": (5, 5),
        "top": (40, 5),
        "top-right": (75, 5),
        "left": (5, 35),
        "center": (40, 35),
        "right": (75, 35),
        "bottom-left": (5, 65),
        "bottom": (40, 65),
        "bottom-right": (75, 65),
    }
