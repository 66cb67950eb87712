"""Reasons for a rejection: one class for each, with the code that events and records have."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES: Final = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "gif": "GIF", "avif": "AVIF", "heic": "HEIC"}


class RejectedImageError(Exception):
    """The bytes cannot be rendered, now or later: a result, not a failure.

    Every other exception of `render` is a failure in this code.
    """

    code: ClassVar[str]

    def __reduce__(self) -> tuple[object, ...]:
        # An instance is its class and its message, so it can be passed to another process.
        return _restore, (type(self), str(self))


def _restore(kind: type[RejectedImageError], message: str) -> RejectedImageError:
    return kind.__new__(kind, message)


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


class TooManyFramesError(RejectedImageError):
    """The animation has more frames than the limit."""

    code = "too_many_frames"

    def __init__(self, frames: int, limit: int) -> None:
        super().__init__(f"the animation has {frames:,} frames; the limit is {limit:,}")


class TooMuchMetadataError(RejectedImageError):
    """Profile, EXIF data and texts are larger than the limit, unpacked."""

    code = "too_much_metadata"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the colour profile, EXIF data and texts of the image have more than {limit:,} bytes, unpacked. "
            "Save it without them"
        )


class TooComplexError(RejectedImageError):
    """The structure of the file would make decoding unreasonably slow."""

    code = "too_complex"

    def __init__(self, problem: str) -> None:
        super().__init__(f"decoding the image would take too long: {problem}. Save it again with another program")


class TooSlowError(RejectedImageError):
    """Rendering the image took longer than the limit."""

    code = "too_slow"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the image could not be processed within {seconds:g} seconds. Save it smaller, or as a JPEG")


class TooMuchMemoryError(RejectedImageError):
    """Rendering the image took more memory than the limit."""

    code = "too_much_memory"

    def __init__(self, megabytes: int) -> None:
        super().__init__(f"the image could not be processed in {megabytes:,} MB of memory. Save it smaller")


class DecoderCrashedError(RejectedImageError):
    """The file crashed the program that reads it."""

    code = "decoder_crashed"

    def __init__(self) -> None:
        super().__init__("reading the file crashed its decoder. Save the image again with another program")


class UnsupportedFormatError(RejectedImageError):
    """The content is not in a supported format. Name and declared type do not matter."""

    code = "unsupported_format"

    def __init__(self, readable: Sequence[str], found: str | None = None) -> None:
        *others, last = (_NAMES.get(kind, kind) for kind in readable)
        names = f"{', '.join(others)} or {last}"
        super().__init__(
            f"the content is {found}, which is not supported. Save it as a JPEG"
            if found
            else f"the content is not a {names} image"
        )


class UnreadableImageError(RejectedImageError):
    """The content begins like a supported format, but is damaged or incomplete."""

    code = "unreadable_image"

    def __init__(self, kind: str) -> None:
        name = _NAMES.get(kind, kind)
        super().__init__(
            f"the content begins like {name}, but is damaged or incomplete. "
            "Upload it again, or save it with another program"
        )


class InvalidVariantError(ValueError):
    """A variant's settings are not valid: an error in the configuration, not in the image.

    Attributes:
        variant: Name of the variant, or `?`.
        field: Name of the setting, such as `watermark.opacity`.
    """

    def __init__(self, variant: str, field: str, problem: str) -> None:
        super().__init__(f"variant {variant!r}: {field} {problem}")
        self.variant = variant
        self.field = field
