"""What Terraform tells the function, read once at start."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(ValueError):
    """A variable of the environment is missing or malformed; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's settings.

    Attributes:
        log_level: Lowest level of the function's own lines.
        metrics_namespace: Where the metrics go.
        originals_bucket: Name of the bucket that is uploaded to.
        processed_bucket: Name of the bucket of the derivatives.
        table: Name of the table of the records.
        uploads_queue_url: The queue in which S3's events wait for the pipeline.
    """

    log_level: str
    metrics_namespace: str
    originals_bucket: str
    processed_bucket: str
    table: str
    uploads_queue_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: A variable is missing or malformed.
        """

        def read(name: str) -> str:
            if not environment.get(name):
                raise SettingsError(f"the environment variable {name} is not set")
            return environment[name]

        settings = cls(**{field.name: read(field.name.upper()) for field in fields(cls)})
        if settings.log_level not in logging.getLevelNamesMapping():
            raise SettingsError(
                f"the environment variable LOG_LEVEL is malformed: {settings.log_level} is no level of Python's logging"
            )
        return settings
