"""What Terraform tells the function, read once at start."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from process_image.image import Limits, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(ValueError):
    """The environment lacks a variable or holds one that cannot be used; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's settings.

    Attributes:
        event_bus: Name or ARN of the bus that the results are announced on.
        processed_bucket: Name of the bucket that the derivatives go to.
        variants: The derivatives to make of every image, as Terraform wrote them: a watermark's `image`
            is still a key in `processed_bucket`.
        limits: What an original may measure at most.
    """

    event_bus: str
    processed_bucket: str
    variants: tuple[Mapping[str, Any], ...]
    limits: Limits

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: A variable is missing or malformed.
        """
        try:
            variants = json.loads(environment["VARIANTS"])
            settings = cls(
                event_bus=environment["EVENT_BUS"],
                processed_bucket=environment["PROCESSED_BUCKET"],
                variants=tuple(variants),
                limits=Limits(
                    max_bytes=int(environment["MAX_BYTES"]),
                    max_pixels=int(environment["MAX_PIXELS"]),
                ),
            )
            for variant in variants:
                Variant.from_mapping(variant)
        except KeyError as error:
            raise SettingsError(f"the environment variable {error.args[0]} is not set") from error
        except (TypeError, ValueError) as error:
            raise SettingsError(f"the environment is malformed: {error}") from error
        return settings

    @property
    def recipe(self) -> str:
        """The variants' identity: 16 hex digits that change when a derivative would.

        A watermark image's key holds the digest of its bytes, so a new watermark is a new recipe.
        """
        canonical = json.dumps(self.variants, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]
