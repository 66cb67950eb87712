"""Variants: size, format and watermark of one derivative. Every default is written here, and only here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, get_args

from process_image.image.errors import InvalidVariantError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Fit = Literal["inside", "cover", "contain"]
OutputFormat = Literal["jpeg", "png", "webp", "avif"]
Position = Literal["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"]

FITS: Final[tuple[Fit, ...]] = get_args(Fit)
OUTPUT_FORMATS: Final[tuple[OutputFormat, ...]] = get_args(OutputFormat)
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)

# Longest side of a derivative. Every format supports it (WebP has the lowest limit: 16,383).
MAX_SIDE: Final = 8192
# Largest margin: with half of the shorter side, no room is left for the watermark.
MAX_MARGIN: Final = 0.5
MAX_TEXT: Final = 100
# Characters of Pillow's built-in font. For others, use an image as the watermark.
TEXT_CHARACTERS: Final = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("©«°±´·»‘’“”…‹›⁄™")  # noqa: RUF001

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """A text or an image over a derivative. Exactly one of `text` and `image` is set.

    Attributes:
        text: One line, in the characters of `TEXT_CHARACTERS`.
        image: The bytes of an image file in a supported format. Until the bytes are loaded, before rendering, it is
            the name of the file.
        position: One of nine positions.
        scale: Width of the watermark as a fraction of the derivative's width, above 0 and up to 1. The watermark is
            smaller if it would not fit between the margins.
        opacity: 0 (invisible) to 1. It is multiplied with an image's own transparency.
        margin: Distance from the edges as a fraction of the derivative's shorter side, 0 to `MAX_MARGIN`.
    """

    text: str | None = None
    image: bytes | str | None = None
    position: Position = "bottom-right"
    scale: float = 0.25
    opacity: float = 0.5
    margin: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Settings of one derivative of every image.

    Attributes:
        name: Letters, digits, `-` and `_`. It is part of an object key.
        width: Pixels; None for no limit. At least one side is given, and both for `cover` and `contain`.
        height: Pixels; None for no limit.
        fit: `inside` shrinks the picture into the box. `cover` fills the box and crops the picture evenly on both
            sides. `contain` shrinks the picture into the box and fills the remaining area with the background.
        format: Format of the file.
        quality: 1 to 100; None for the format's default. PNG is lossless and has none.
        enlarge: True to enlarge a picture that is smaller than the box. Otherwise `inside` keeps the picture's size,
            `cover` crops it to the box's proportions, and `contain` centres it on a canvas of the box's size.
        background: `#rrggbb`, the colour behind the picture. It is visible around the picture with `contain`, and
            through transparent pixels with `contain` and in every JPEG.
        watermark: The watermark, or None.
    """

    name: str
    width: int | None = None
    height: int | None = None
    fit: Fit = "inside"
    format: OutputFormat = "jpeg"
    quality: int | None = None
    enlarge: bool = False
    background: str = "#ffffff"
    watermark: Watermark | None = None

    @property
    def extension(self) -> str:
        """Extension of a file in this format, without the dot."""
        return "jpg" if self.format == "jpeg" else self.format

    @property
    def content_type(self) -> str:
        """Media type of the file."""
        return f"image/{self.format}"

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Self:
        """Read one element of the configured list of variants.

        Settings that are absent or null get their defaults.

        Args:
            mapping: The settings by name, as JSON gives them. `watermark.image` may be bytes or a name.

        Returns:
            The variant, checked.

        Raises:
            InvalidVariantError: A setting is missing, unknown, of another type or out of range.
        """
        name = str(mapping.get("name", "?"))
        given = _read(name, "", mapping, _VARIANT_RULES)
        if "name" not in given:
            raise InvalidVariantError(name, "name", "must be given")
        if "watermark" in given:
            given["watermark"] = _watermark(name, given["watermark"])
        variant = cls(**given)
        if variant.width is None and variant.height is None:
            raise InvalidVariantError(name, "width", "or height must be given")
        if variant.fit != "inside" and (variant.width is None or variant.height is None):
            raise InvalidVariantError(name, "fit", f"{variant.fit!r} needs both width and height")
        return variant


def recipe_of(variants: Sequence[Variant]) -> str:
    """Return the recipe of variants: 16 hexadecimal digits that change if a derivative would.

    Only settings that differ from their defaults count. So a new setting, with its default, changes no recipe; a
    changed default would change derivatives under the same recipe, and must not happen
    (docs/decisions/0021-two-delete-events.md).
    """
    canonical = json.dumps([_differences(variant) for variant in variants], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _differences(settings: Variant | Watermark) -> dict[str, Any]:
    """Return the settings that differ from their defaults."""
    found: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Watermark):
            found[field.name] = _differences(value)
        elif value != field.default:
            found[field.name] = float(value) if isinstance(field.default, float) else value  # 1 and 1.0 are the same
    return found


def _watermark(variant: str, mapping: Mapping[str, object]) -> Watermark:
    watermark = Watermark(**_read(variant, "watermark.", mapping, _WATERMARK_RULES))
    if (watermark.text is None) == (watermark.image is None):
        raise InvalidVariantError(variant, "watermark.text", "or image must be given, one of the two")
    if unknown := sorted(set(watermark.text or "") - TEXT_CHARACTERS):
        problem = f"has characters that are missing in the font, {unknown}: use an image instead"
        raise InvalidVariantError(variant, "watermark.text", problem)
    return watermark


class _Rule(NamedTuple):
    """A rule for a setting: a check, and its meaning for people."""

    holds: Callable[[Any], bool]
    meaning: str


def _read(variant: str, prefix: str, mapping: Mapping[str, object], rules: Mapping[str, _Rule]) -> dict[str, Any]:
    """Return the settings that are given, checked by their rules."""
    given = {}
    for name, value in mapping.items():
        if name not in rules:
            raise InvalidVariantError(variant, f"{prefix}{name}", f"is not known; there are {', '.join(rules)}")
        if value is None:
            continue
        if not rules[name].holds(value):
            raise InvalidVariantError(variant, f"{prefix}{name}", f"must be {rules[name].meaning}, not {value!r}")
        given[name] = value
    return given


def _choice(allowed: Iterable[str]) -> _Rule:
    return _Rule(lambda value: isinstance(value, str) and value in allowed, f"one of {', '.join(allowed)}")


def _pattern(pattern: re.Pattern[str], meaning: str) -> _Rule:
    return _Rule(lambda value: isinstance(value, str) and bool(pattern.fullmatch(value)), meaning)


def _whole(largest: int) -> _Rule:
    return _Rule(lambda value: type(value) is int and 1 <= value <= largest, f"a whole number from 1 to {largest}")


def _fraction(largest: float) -> _Rule:
    return _Rule(lambda value: type(value) in (int, float) and 0 <= value <= largest, f"a number from 0 to {largest}")


_VARIANT_RULES: Final[Mapping[str, _Rule]] = {
    "name": _pattern(_NAME, "1 to 64 letters, digits, - or _"),
    "width": _whole(MAX_SIDE),
    "height": _whole(MAX_SIDE),
    "fit": _choice(FITS),
    "format": _choice(OUTPUT_FORMATS),
    "quality": _whole(100),
    "enlarge": _Rule(lambda value: isinstance(value, bool), "true or false"),
    "background": _pattern(_COLOUR, "a colour like #rrggbb"),
    "watermark": _Rule(lambda value: isinstance(value, Mapping), "an object"),
}
_WATERMARK_RULES: Final[Mapping[str, _Rule]] = {
    "text": _Rule(
        lambda value: isinstance(value, str) and 1 <= len(value) <= MAX_TEXT and bool(value.strip()),
        f"a text of 1 to {MAX_TEXT} characters",
    ),
    "image": _Rule(lambda value: isinstance(value, bytes | str) and bool(value), "an image's bytes or their name"),
    "position": _choice(POSITIONS),
    "scale": _Rule(lambda value: type(value) in (int, float) and 0 < value <= 1, "a number above 0 and up to 1"),
    "opacity": _fraction(1),
    "margin": _fraction(MAX_MARGIN),
}
