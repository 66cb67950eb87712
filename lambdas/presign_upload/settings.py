"""What Terraform tells the function, read once at start."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class SettingsError(ValueError):
    """The environment lacks a variable or holds one that cannot be used; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's settings.

    Attributes:
        originals_bucket: Name of the bucket to upload to.
        max_bytes: What an upload may measure at most.
        expiry_seconds: How long a form can be used.
        log_level: Lowest level of the function's own lines.
    """

    originals_bucket: str
    max_bytes: int
    expiry_seconds: int
    log_level: str

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

        return cls(
            originals_bucket=read("ORIGINALS_BUCKET", str),
            max_bytes=read("MAX_BYTES", _positive),
            expiry_seconds=read("EXPIRY_SECONDS", _positive),
            log_level=read("LOG_LEVEL", _log_level),
        )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number


def _log_level(text: str) -> str:
    if text not in logging.getLevelNamesMapping():
        raise ValueError(f"{text} is no level of Python's logging")
    return text
