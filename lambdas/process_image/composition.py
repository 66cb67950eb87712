"""The function put together from its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkroom_shared.requests import LONGEST_REQUEST_SECONDS
from process_image.bus import EventBridgeBus
from process_image.clients import make_clients
from process_image.handler import Handler
from process_image.processor import Processor
from process_image.reporting import Reporter
from process_image.settings import Settings
from process_image.storage import Derivatives, Originals

if TYPE_CHECKING:
    from collections.abc import Mapping


def compose(environment: Mapping[str, str]) -> Handler:
    """Return the handler with its settings, clients and processor, which loads the images of watermarks.

    Raises:
        SettingsError: An environment variable is missing or malformed.
    """
    settings = Settings.from_environment(environment)
    clients = make_clients()
    reporter = Reporter(settings.log_level)
    processor = Processor(
        settings,
        Originals(clients.s3),
        Derivatives(clients.s3, settings.processed_bucket, settings.recipe),
        EventBridgeBus(clients.events, settings.event_bus),
        reporter.measure,
    )
    # One request may wait for its longest: all other requests together are much faster.
    return Handler(processor, reporter, settings.budget.max_seconds + LONGEST_REQUEST_SECONDS)
