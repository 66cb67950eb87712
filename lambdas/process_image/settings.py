"""Settings of the function, which Terraform sets as environment variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from darkroom_shared.settings import Reader, SettingsError, log_level
from process_image.image import Limits, Variant, recipe_of
from process_image.isolation import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping

L = TypeVar("L", Limits, Budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the function.

    Attributes:
        event_bus: Name or ARN of the bus that outcomes are announced on.
        log_level: Lowest level of the function's own log lines.
        processed_bucket: Name of the bucket for derivatives.
        variants: The variants of every image. The `image` of a watermark is a key in `processed_bucket`.
        limits: Limits of an original.
        budget: Limits of time and memory for one image.
    """

    event_bus: str
    log_level: str
    processed_bucket: str
    variants: tuple[Variant, ...]
    limits: Limits
    budget: Budget

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: A variable is missing or malformed.
        """
        read = Reader(environment)
        return cls(
            event_bus=read("EVENT_BUS", str),
            log_level=read("LOG_LEVEL", log_level),
            processed_bucket=read("PROCESSED_BUCKET", str),
            variants=read("VARIANTS", _variants),
            limits=_numbers(read, Limits),
            budget=_numbers(read, Budget),
        )

    @property
    def recipe(self) -> str:
        """Recipe of the variants. The key of a watermark's image is a digest, so another image is another recipe."""
        return recipe_of(self.variants)


def _numbers(read: Reader, kind: type[L]) -> L:
    numbers = {field.name: read(field.name.upper(), int) for field in fields(kind)}
    try:
        return kind(**numbers)
    except ValueError as error:
        raise SettingsError(f"an environment variable is out of range: {error}") from error


def _variants(text: str) -> tuple[Variant, ...]:
    mappings: Any = json.loads(text)
    if not isinstance(mappings, list) or not mappings or not all(isinstance(one, dict) for one in mappings):
        raise ValueError("it is not a list of objects with at least one")
    variants = tuple(Variant.from_mapping(mapping) for mapping in mappings)
    names = [variant.name for variant in variants]
    if len(set(names)) < len(names):
        raise ValueError(f"two variants have the same name: {', '.join(names)}")
    return variants
