"""Settings of the function, which Terraform sets as environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom_shared.settings import Reader, log_level

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the function.

    Attributes:
        log_level: Lowest level of the function's own log lines.
        metrics_namespace: Namespace of the metrics.
        originals_bucket: Name of the bucket of originals.
        processed_bucket: Name of the bucket of derivatives.
        table: Name of the table of records.
        uploads_queue_url: URL of the queue of object events.
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
        read = Reader(environment)
        return cls(
            log_level=read("LOG_LEVEL", log_level),
            metrics_namespace=read("METRICS_NAMESPACE", str),
            originals_bucket=read("ORIGINALS_BUCKET", str),
            processed_bucket=read("PROCESSED_BUCKET", str),
            table=read("TABLE", str),
            uploads_queue_url=read("UPLOADS_QUEUE_URL", str),
        )
