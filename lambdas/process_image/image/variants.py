"""What is wanted: a variant is one derivative's size, format and watermark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self, cast, get_args

from process_image.image.errors import InvalidVariantError

if TYPE_CHECKING:
    from collections.abc import Collection

Fit = Literal["inside", "cover", "contain"]
OutputFormat = Literal["jpeg", "png", "webp", "avif"]
Position = Literal["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"]

FITS: Final[tuple[Fit, ...]] = get_args(Fit)
OUTPUT_FORMATS: Final[tuple[OutputFormat, ...]] = get_args(OutputFormat)
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)

# No derivative has a longer side: every format can hold it (WebP ends at 16,383).
MAX_SIDE: Final = 8192
# The largest margin: beyond half of the shorter side no room is left for the watermark.
MAX_MARGIN: Final = 0.5
MAX_TEXT: Final = 100
# What Pillow's built-in font has glyphs for. Other writing needs an image as its watermark.
TEXT_CHARACTERS: Final = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("©«°±´·»‘’“”…‹›⁄™")  # noqa: RUF001

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """A text or an image laid over a variant. Exactly one of `text` and `image` is set.

    Attributes:
        text: One line, in the characters of `TEXT_CHARACTERS`.
        image: An image file's bytes, in any of the formats that are read. A name may stand here until whoever
            knows where it leads puts the bytes in its place, before rendering.
        position: One of nine places.
        scale: The watermark's width as a part of the variant's width, above 0 and up to 1. It gets smaller
            where it would not fit between the margins.
        opacity: 0 (invisible) to 1; an image's own transparency counts besides.
        margin: Distance from the edges as a part of the variant's shorter side, 0 to `MAX_MARGIN`.
    """

    text: str | None = None
    image: bytes | str | None = None
    position: Position = "bottom-right"
    scale: float = 0.25
    opacity: float = 0.5
    margin: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One derivative to make of every image.

    Attributes:
        name: Letters, digits, `-` and `_`; it becomes part of an object key.
        width: Pixels; None for no bound. At least one side is given, and both for `cover` and `contain`.
        height: Pixels; None for no bound.
        fit: `inside` shrinks the picture into the box; `cover` fills the box and cuts off what stands out,
            evenly on both sides; `contain` shrinks it into the box and fills the rest with the background.
        format: The format to write.
        quality: 1 to 100; None for the format's default. PNG is lossless and has none.
        enlarge: Whether a picture smaller than the box grows. Without it `inside` keeps the picture's size,
            `cover` cuts the largest part of it that has the box's proportions, and `contain` centres it as it
            is on a canvas of the box's size.
        background: `#rrggbb`, the colour behind the picture: seen around it with `contain`, and through it
            with `contain` and in every JPEG.
        watermark: What to lay over it, or None.
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
        """The usual end of a file's name in this format, without the dot."""
        return "jpg" if self.format == "jpeg" else self.format

    @property
    def content_type(self) -> str:
        """The media type of what is written."""
        return f"image/{self.format}"

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Self:
        """Read one element of the configured list of variants.

        Fields that are absent or null get their defaults.

        Args:
            mapping: The fields by name, as JSON gives them. `watermark.image` may be bytes or their name.

        Returns:
            The variant, checked.

        Raises:
            InvalidVariantError: A field is missing, unknown, of another type or out of range.
        """
        fields = _Fields(str(mapping.get("name", "?")), "", mapping)
        fields.only("name", "width", "height", "fit", "format", "quality", "enlarge", "background", "watermark")
        fit = cast("Fit", fields.choice("fit", "inside", FITS))
        width = fields.whole("width", MAX_SIDE)
        height = fields.whole("height", MAX_SIDE)
        if width is None and height is None:
            raise fields.error("width", "or height must be given")
        if fit != "inside" and (width is None or height is None):
            raise fields.error("fit", f"{fit!r} needs both width and height")
        return cls(
            name=fields.pattern("name", None, _NAME, "1 to 64 letters, digits, - or _"),
            width=width,
            height=height,
            fit=fit,
            format=cast("OutputFormat", fields.choice("format", "jpeg", OUTPUT_FORMATS)),
            quality=fields.whole("quality", 100),
            enlarge=fields.flag("enlarge"),
            background=fields.pattern("background", "#ffffff", _COLOUR, "a colour like #rrggbb"),
            watermark=_watermark(fields.nested("watermark")),
        )


def _watermark(fields: _Fields | None) -> Watermark | None:
    if fields is None:
        return None
    fields.only("text", "image", "position", "scale", "opacity", "margin")
    text, image = fields.text("text"), fields.data("image")
    if (text is None) == (image is None):
        raise fields.error("text", "or image must be given, one of the two")
    scale = fields.number("scale", 0.25, 1)
    if scale == 0:
        raise fields.error("scale", "must be greater than 0")
    return Watermark(
        text=text,
        image=image,
        position=cast("Position", fields.choice("position", "bottom-right", POSITIONS)),
        scale=scale,
        opacity=fields.number("opacity", 0.5, 1),
        margin=fields.number("margin", 0.03, MAX_MARGIN),
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """Typed access to the fields of a variant or, with a prefix, of its watermark."""

    variant: str
    prefix: str
    values: Mapping[str, object]

    def error(self, field: str, problem: str) -> InvalidVariantError:
        return InvalidVariantError(self.variant, self.prefix + field, problem)

    def only(self, *known: str) -> None:
        for field in self.values:
            if field not in known:
                raise self.error(field, f"is not known; there are {', '.join(known)}")

    def choice(self, field: str, default: str, allowed: Collection[str]) -> str:
        value = self._get(field, default)
        if not isinstance(value, str) or value not in allowed:
            raise self.error(field, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def pattern(self, field: str, default: str | None, pattern: re.Pattern[str], meaning: str) -> str:
        value = self._get(field, default)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.error(field, f"must be {meaning}, not {value!r}")
        return value

    def whole(self, field: str, largest: int) -> int | None:
        value = self._get(field, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            raise self.error(field, f"must be a whole number from 1 to {largest}, not {value!r}")
        return value

    def number(self, field: str, default: float, largest: float) -> float:
        value = self._get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
            raise self.error(field, f"must be a number from 0 to {largest}, not {value!r}")
        return float(value)

    def flag(self, field: str) -> bool:
        value = self._get(field, default=False)
        if not isinstance(value, bool):
            raise self.error(field, f"must be true or false, not {value!r}")
        return value

    def text(self, field: str) -> str | None:
        value = self._get(field, None)
        if value is None:
            return None
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or not value.strip():
            raise self.error(field, f"must be a text of 1 to {MAX_TEXT} characters, not {value!r}")
        if unknown := sorted(set(value) - TEXT_CHARACTERS):
            raise self.error(field, f"has characters that the font lacks, {unknown}: use an image instead")
        return value

    def data(self, field: str) -> bytes | str | None:
        value = self._get(field, None)
        if value is None:
            return None
        if not isinstance(value, bytes | str) or not value:
            raise self.error(field, f"must be an image's bytes or their name, not {value!r}")
        return value

    def nested(self, field: str) -> _Fields | None:
        value = self._get(field, None)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.error(field, f"must be an object, not {value!r}")
        return _Fields(self.variant, f"{self.prefix}{field}.", value)

    def _get(self, field: str, default: object) -> object:
        value = self.values.get(field)
        return default if value is None else value
