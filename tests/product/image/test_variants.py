from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from process_image.image import InvalidVariantError, Variant, Watermark
from process_image.image.variants import FITS, MAX_SIDE, MAX_TEXT, OUTPUT_FORMATS, POSITIONS, TEXT_CHARACTERS

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
sides = st.integers(1, MAX_SIDE)
parts = st.floats(0, 1)
texts = st.text(sorted(TEXT_CHARACTERS), min_size=1, max_size=MAX_TEXT).filter(str.strip)
watermarks = st.fixed_dictionaries(
    {"text": texts},
    optional={
        "image": st.none(),
        "position": st.sampled_from(POSITIONS),
        "scale": st.floats(0, 1, exclude_min=True),
        "opacity": parts,
        "margin": st.floats(0, 0.5),
    },
)
valid_mappings = st.fixed_dictionaries(
    {"name": names, "width": sides, "height": sides},
    optional={
        "fit": st.sampled_from(FITS),
        "format": st.sampled_from(OUTPUT_FORMATS),
        "quality": st.none() | st.integers(1, 100),
        "enlarge": st.booleans(),
        "background": st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True),
        "watermark": st.none() | watermarks,
    },
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_name_and_side_are_required() -> None:
    assert Variant.from_mapping({"name": "thumb", "width": 256}) == Variant(name="thumb", width=256)


def test_default_settings() -> None:
    variant = Variant.from_mapping({"name": "v", "height": 9, "watermark": {"text": "x"}})
    assert variant == Variant(
        name="v",
        width=None,
        height=9,
        fit="inside",
        format="jpeg",
        quality=None,
        enlarge=False,
        background="#ffffff",
        watermark=Watermark(text="x", image=None, position="bottom-right", scale=0.25, opacity=0.5, margin=0.03),
    )


def test_null_is_the_default() -> None:
    # In Terraform, optional attributes that are not set are null.
    nulls = dict.fromkeys(("height", "fit", "format", "quality", "enlarge", "background", "watermark"))
    assert Variant.from_mapping({"name": "v", "width": 7, **nulls}) == Variant(name="v", width=7)
    watermark = {"text": "x", **dict.fromkeys(("image", "position", "scale", "opacity", "margin"))}
    assert Variant.from_mapping({"name": "v", "width": 7, "watermark": watermark}) == Variant(
        name="v", width=7, watermark=Watermark(text="x")
    )


@pytest.mark.parametrize("image", [b"\x89PNG", "watermarks/logo.png"])
def test_watermark_image_is_bytes_or_name(image: bytes | str) -> None:
    variant = Variant.from_mapping({"name": "v", "width": 7, "watermark": {"image": image}})
    assert variant.watermark == Watermark(image=image)


@given(valid_mappings)
def test_valid_mapping_sets_every_field(mapping: dict[str, object]) -> None:
    variant = Variant.from_mapping(json.loads(json.dumps(mapping)))
    for field, value in mapping.items():
        if field == "watermark" and isinstance(value, dict):
            for part, expected in value.items():
                assert getattr(variant.watermark, part) == expected
        elif value is not None:
            assert getattr(variant, field) == value


@given(valid_mappings, st.sampled_from(["text", *Variant.__dataclass_fields__, "nonsense"]), json_values)
def test_any_value_is_valid_or_invalid(mapping: dict[str, object], field: str, value: object) -> None:
    broken = {**mapping, field: value}
    if isinstance(mapping.get("watermark"), dict):
        broken["watermark"] = {"text": "x", field: value}
    with suppress(InvalidVariantError):
        assert isinstance(Variant.from_mapping(broken), Variant)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "-a"}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"name": "a\n"}, "name"),
        ({"width": 0}, "width"),
        ({"width": -1}, "width"),
        ({"width": MAX_SIDE + 1}, "width"),
        ({"width": 12.5}, "width"),
        ({"width": "12"}, "width"),
        ({"width": True}, "width"),
        ({"width": None}, "width"),
        ({"height": 0}, "height"),
        ({"fit": "fill"}, "fit"),
        ({"fit": "cover"}, "fit"),
        ({"fit": "contain"}, "fit"),
        ({"format": "gif"}, "format"),
        ({"format": "jpg"}, "format"),
        ({"format": ["jpeg"]}, "format"),
        ({"quality": 0}, "quality"),
        ({"quality": 101}, "quality"),
        ({"enlarge": "yes"}, "enlarge"),
        ({"enlarge": 1}, "enlarge"),
        ({"background": "white"}, "background"),
        ({"background": "#fff"}, "background"),
        ({"background": "#ffffff00"}, "background"),
        ({"colour": "red"}, "colour"),
        ({"watermark": "Darkroom"}, "watermark"),
        ({"watermark": {}}, "watermark.text"),
        ({"watermark": {"text": "x", "image": b"x"}}, "watermark.text"),
        ({"watermark": {"text": ""}}, "watermark.text"),
        ({"watermark": {"text": "  "}}, "watermark.text"),
        ({"watermark": {"text": "two\nlines"}}, "watermark.text"),
        ({"watermark": {"text": "Müller"}}, "watermark.text"),
        ({"watermark": {"text": "x" * 101}}, "watermark.text"),
        ({"watermark": {"image": ""}}, "watermark.image"),
        ({"watermark": {"image": 5}}, "watermark.image"),
        ({"watermark": {"text": "x", "position": "middle"}}, "watermark.position"),
        ({"watermark": {"text": "x", "scale": 0}}, "watermark.scale"),
        ({"watermark": {"text": "x", "scale": 1.01}}, "watermark.scale"),
        ({"watermark": {"text": "x", "opacity": -0.1}}, "watermark.opacity"),
        ({"watermark": {"text": "x", "opacity": True}}, "watermark.opacity"),
        ({"watermark": {"text": "x", "margin": 0.51}}, "watermark.margin"),
        ({"watermark": {"text": "x", "margin": float("nan")}}, "watermark.margin"),
        ({"watermark": {"text": "x", "colour": "red"}}, "watermark.colour"),
    ],
)
def test_error_names_variant_and_field(change: dict[str, object], field: str) -> None:
    mapping = {"name": "thumb", "width": 100, **change}
    with pytest.raises(InvalidVariantError) as caught:
        Variant.from_mapping(mapping)
    assert caught.value.field == field
    assert field in str(caught.value)
    assert repr(str(mapping["name"])) in str(caught.value)
    assert caught.value.variant == str(mapping["name"])


def test_unnamed_variant_is_a_question_mark() -> None:
    with pytest.raises(InvalidVariantError, match=r"variant '\?': name "):
        Variant.from_mapping({"width": 10})


@pytest.mark.parametrize(
    ("image_format", "extension", "content_type"),
    [
        ("jpeg", "jpg", "image/jpeg"),
        ("png", "png", "image/png"),
        ("webp", "webp", "image/webp"),
        ("avif", "avif", "image/avif"),
    ],
)
def test_extension_and_content_type(image_format: str, extension: str, content_type: str) -> None:
    variant = Variant.from_mapping({"name": "v", "width": 1, "format": image_format})
    assert (variant.extension, variant.content_type) == (extension, content_type)


def test_font_has_a_glyph_for_every_character() -> None:
    font = ImageFont.load_default(40)

    def glyph(character: str) -> tuple[object, bytes]:
        mask = font.getmask(character)
        return mask.getbbox(), bytes(mask)

    missing = glyph("\uffff")
    assert missing == glyph("ü") != glyph("u")
    assert [character for character in sorted(TEXT_CHARACTERS) if glyph(character) == missing] == []
