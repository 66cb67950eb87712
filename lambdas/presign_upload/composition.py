"""The function put together from its environment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from presign_upload.clients import signing_client
from presign_upload.handler import Handler
from presign_upload.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def compose(environment: Mapping[str, str]) -> Handler:
    """Return the handler with its settings and client.

    Raises:
        SettingsError: An environment variable is missing or malformed.
    """
    settings = Settings.from_environment(environment)
    logging.getLogger("presign_upload").setLevel(settings.log_level)
    return Handler(settings, signing_client(environment))
