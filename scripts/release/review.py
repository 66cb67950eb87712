"""Result of the comparison of the current and the published state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Review:
    """A comparison with the published state.

    Attributes:
        problems: Breaking changes, each with what to do.
        pending: Compatible changes since the publication.
        content: Content of the record after publishing all of this, as JSON.
        subject: Name of the comparison for the summary.
    """

    problems: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    content: Any = None
    subject: str = ""
