"""The result of comparing what is there with what is published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Review:
    """A comparison with what is published.

    Attributes:
        problems: What breaks users, each with what to do about it.
        pending: What has changed since it was published, and breaks no user.
        content: What the record holds once all of this is published, as JSON.
        subject: What was compared, for the summary.
    """

    problems: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    content: Any = None
    subject: str = ""
