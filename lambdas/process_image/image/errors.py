"""Why an image is refused: each class is one reason, and its code is what people are told."""

from __future__ import annotations

from typing import ClassVar


class RejectedImageError(Exception):
    """The bytes are not an image that can be rendered, and never will be: a result, not a failure.

    Anything else that `render` raises is a failure of ours, worth another try or a look.
    """

    code: ClassVar[str]


class EmptyObjectError(RejectedImageError):
    """The object has no bytes."""

    code = "empty"

    def __init__(self) -> None:
        super().__init__("the file is empty")


class TooManyBytesError(RejectedImageError):
    """The file is larger than the limit."""

    code = "too_many_bytes"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the file has {size:,} bytes; the limit is {limit:,}")


class TooManyPixelsError(RejectedImageError):
    """The image has more pixels than the limit, however small its file is."""

    code = "too_many_pixels"

    def __init__(self, limit: int, size: tuple[int, int] | None = None) -> None:
        pixels = f"{size[0]:,} x {size[1]:,} pixels" if size else "more pixels than can be read"
        super().__init__(f"the image has {pixels}; the limit is {limit:,}")


class UnsupportedFormatError(RejectedImageError):
    """The content is not in one of the formats that are read, whatever its name or declared type."""

    code = "unsupported_format"

    def __init__(self) -> None:
        super().__init__("the content is not a JPEG, PNG, WebP, GIF or AVIF image")


class UnreadableImageError(RejectedImageError):
    """The content begins like a supported format, but is damaged or incomplete."""

    code = "unreadable_image"

    def __init__(self, kind: str) -> None:
        super().__init__(f"the content begins like {kind}, but is damaged or incomplete")


class InvalidVariantError(ValueError):
    """A variant is not described as it has to be: a mistake in the configuration, not in the image.

    Attributes:
        variant: The variant's name, as far as it is known.
        field: The field at fault, such as `watermark.opacity`.
    """

    def __init__(self, variant: str, field: str, problem: str) -> None:
        super().__init__(f"variant {variant!r}: {field} {problem}")
        self.variant = variant
        self.field = field
