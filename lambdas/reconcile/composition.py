"""The function put together from its environment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from reconcile.clients import make_clients
from reconcile.handler import Handler
from reconcile.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def compose(environment: Mapping[str, str]) -> Handler:
    """Return the handler with its settings and clients.

    Raises:
        SettingsError: An environment variable is missing or malformed.
    """
    settings = Settings.from_environment(environment)
    logging.getLogger("reconcile").setLevel(settings.log_level)
    return Handler(settings, make_clients())
