"""Settings: read from a mapping of environment variables, strictly."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class SettingsError(ValueError):
    """An environment variable is missing or malformed; the message names it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads environment variables."""

    environment: Mapping[str, str]

    def __call__(self, name: str, parse: Callable[[str], T]) -> T:
        """Return a variable's parsed value.

        Raises:
            SettingsError: The variable is missing or malformed.
        """
        if not self.environment.get(name):
            raise SettingsError(f"the environment variable {name} is not set")
        try:
            return parse(self.environment[name])
        except ValueError as error:
            raise SettingsError(f"the environment variable {name} is malformed: {error}") from error


def positive(text: str) -> int:
    """Return a whole number of at least 1.

    Raises:
        ValueError: The text is not such a number.
    """
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number


def log_level(text: str) -> str:
    """Return the name of a level of Python's logging.

    Raises:
        ValueError: The text is not such a name.
    """
    if text not in logging.getLevelNamesMapping():
        raise ValueError(f"{text} is not a level of Python's logging")
    return text
