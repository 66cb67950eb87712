"""What Terraform tells the function, read once at start."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from process_image.image import Limits, Variant
from process_image.isolation import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
L = TypeVar("L", Limits, Budget)


class SettingsError(ValueError):
    """The environment lacks a variable or holds one that cannot be used; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's settings.

    Attributes:
        event_bus: Name or ARN of the bus that the results are announced on.
        log_level: Lowest level of the function's own lines.
        processed_bucket: Name of the bucket that the derivatives go to.
        variants: The derivatives to make of every image, as Terraform wrote them: a watermark's `image`
            is still a key in `processed_bucket`.
        limits: What an original may measure at most.
        budget: What one image may take of time and memory.
    """

    event_bus: str
    log_level: str
    processed_bucket: str
    variants: tuple[Mapping[str, Any], ...]
    limits: Limits
    budget: Budget

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: A variable is missing or malformed.
        """

        def read(name: str, parse: Callable[[str], T]) -> T:
            if not environment.get(name):
                raise SettingsError(f"the environment variable {name} is not set")
            try:
                return parse(environment[name])
            except ValueError as error:
                raise SettingsError(f"the environment variable {name} is malformed: {error}") from error

        def read_numbers(kind: type[L]) -> L:
            numbers = {field.name: read(field.name.upper(), int) for field in fields(kind)}
            try:
                return kind(**numbers)
            except ValueError as error:
                raise SettingsError(f"an environment variable is out of range: {error}") from error

        return cls(
            event_bus=read("EVENT_BUS", str),
            log_level=read("LOG_LEVEL", _log_level),
            processed_bucket=read("PROCESSED_BUCKET", str),
            variants=read("VARIANTS", _variants),
            limits=read_numbers(Limits),
            budget=read_numbers(Budget),
        )

    @property
    def recipe(self) -> str:
        """The variants' identity: 16 hex digits that change when a derivative would.

        A watermark image's key holds the digest of its bytes, so a new watermark is a new recipe.
        """
        canonical = json.dumps(self.variants, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _variants(text: str) -> tuple[Mapping[str, Any], ...]:
    variants = json.loads(text)
    if not isinstance(variants, list) or not variants or not all(isinstance(v, dict) for v in variants):
        raise ValueError("it is not a list of objects with at least one")
    names = [Variant.from_mapping(variant).name for variant in variants]
    if len(set(names)) < len(names):
        raise ValueError(f"two variants have the same name: {', '.join(names)}")
    return tuple(variants)


def _log_level(text: str) -> str:
    if text not in logging.getLevelNamesMapping():
        raise ValueError(f"{text} is no level of Python's logging")
    return text
