"""Retries and timeouts of requests to AWS: few and short attempts, because queues and schedules retry for longer."""

from __future__ import annotations

from typing import Final

ATTEMPTS: Final = 2
CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 10

_BACKOFF_SECONDS: Final = 1  # before the second attempt, at most

LONGEST_REQUEST_SECONDS: Final = ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + (ATTEMPTS - 1) * _BACKOFF_SECONDS
"""Time until an unanswered request fails. Terraform's variables `process_image` and `reconcile` rely on it."""
