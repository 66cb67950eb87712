"""Findings of checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake.

    Attributes:
        plan: Name of the plan, or of the file if the mistake is in no plan.
        where: Address of the resource, and the attribute or statement if there are several.
        what: Description with the values, and what to do.
    """

    plan: str
    where: str
    what: str
