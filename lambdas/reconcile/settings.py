"""What Terraform tells the function, read once at start."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(ValueError):
    """The environment lacks a variable; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's settings.

    Attributes:
        metrics_namespace: Where the metrics go.
        originals_bucket: Name of the bucket that is uploaded to.
        processed_bucket: Name of the bucket of the derivatives.
        table: Name of the table of the records.
        uploads_queue_url: The queue in which S3's events wait for the pipeline.
    """

    metrics_namespace: str
    originals_bucket: str
    processed_bucket: str
    table: str
    uploads_queue_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: A variable is missing.
        """

        def read(name: str) -> str:
            if not environment.get(name):
                raise SettingsError(f"the environment variable {name} is not set")
            return environment[name]

        return cls(**{field.name: read(field.name.upper()) for field in fields(cls)})
