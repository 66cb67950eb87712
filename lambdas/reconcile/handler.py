"""Translation between Lambda and `job`: the schedule's input in, the counts of differences out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from darkroom_shared.requests import LONGEST_REQUEST_SECONDS
from reconcile.job import Deployment, Request, work

if TYPE_CHECKING:
    from reconcile.clients import Clients
    from reconcile.settings import Settings

# A run stops this long before the timeout: the current request and the one that saves the progress may take their
# longest. `reconcile.timeout` in Terraform's variables allows for it.
_RESERVE_SECONDS = 2 * LONGEST_REQUEST_SECONDS + 5


@dataclass(frozen=True, slots=True)
class Handler:
    """The function, with its settings and clients."""

    settings: Settings
    clients: Clients

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
        """Run until all images are compared or the time is nearly up; return the counts."""
        report = work(
            Deployment(self.settings, self.clients, context.invoked_function_arn),
            Request(**event),
            lambda: context.get_remaining_time_in_millis() < _RESERVE_SECONDS * 1000,
            self.settings.metrics_namespace,
        )
        return {
            "images": report.images,
            "found": dict(report.found),
            "repaired": dict(+report.repaired),
            "finished": report.next is None,
        }
