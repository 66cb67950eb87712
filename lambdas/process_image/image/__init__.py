"""The image core: bytes and variants in, bytes out. It uses no storage, no environment and no clock."""

from process_image.image.decode import INPUT_FORMATS, MAX_METADATA_BYTES, MAX_PIXELS, Limits
from process_image.image.errors import (
    DecoderCrashedError,
    EmptyObjectError,
    InvalidVariantError,
    RejectedImageError,
    TooComplexError,
    TooManyBytesError,
    TooManyFramesError,
    TooManyPixelsError,
    TooMuchMemoryError,
    TooMuchMetadataError,
    TooSlowError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from process_image.image.render import Derivative, Original, Rendering, render
from process_image.image.variants import Variant, Watermark, recipe_of

__all__ = [
    "INPUT_FORMATS",
    "MAX_METADATA_BYTES",
    "MAX_PIXELS",
    "DecoderCrashedError",
    "Derivative",
    "EmptyObjectError",
    "InvalidVariantError",
    "Limits",
    "Original",
    "RejectedImageError",
    "Rendering",
    "TooComplexError",
    "TooManyBytesError",
    "TooManyFramesError",
    "TooManyPixelsError",
    "TooMuchMemoryError",
    "TooMuchMetadataError",
    "TooSlowError",
    "UnreadableImageError",
    "UnsupportedFormatError",
    "Variant",
    "Watermark",
    "recipe_of",
    "render",
]
