"""The bus that outcomes are announced on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from process_image.events import SOURCE

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from process_image.events import OutcomeEvent


class EventNotAcceptedError(Exception):
    """The bus refused an event: a failure, which the queue retries."""


@dataclass(frozen=True, slots=True)
class EventBridgeBus:
    """A bus of EventBridge, by its name or ARN."""

    events: EventBridgeClient
    name: str

    def put(self, event: OutcomeEvent) -> None:
        """Put one event on the bus.

        Raises:
            EventNotAcceptedError: EventBridge answered, but did not accept the event.
        """
        answer = self.events.put_events(
            Entries=[
                {
                    "EventBusName": self.name,
                    "Source": SOURCE,
                    "DetailType": event.detail_type,
                    "Detail": json.dumps(event.detail),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise EventNotAcceptedError(f"{event.detail_type} was not accepted: {answer['Entries'][0]}")
