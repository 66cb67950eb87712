"""Settings of the function, which Terraform sets as environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom_shared.settings import Reader, log_level, positive

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the function.

    Attributes:
        originals_bucket: Name of the bucket to upload to.
        max_bytes: Largest upload in bytes.
        expiry_seconds: Validity of a form in seconds.
        log_level: Lowest level of the function's own log lines.
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
        read = Reader(environment)
        return cls(
            originals_bucket=read("ORIGINALS_BUCKET", str),
            max_bytes=read("MAX_BYTES", positive),
            expiry_seconds=read("EXPIRY_SECONDS", positive),
            log_level=read("LOG_LEVEL", log_level),
        )
