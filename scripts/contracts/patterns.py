"""Overlap of two patterns of EventBridge: reported if it cannot be ruled out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return True if one event can match both patterns.

    A field that a pattern does not mention can have any value. Of the filters, only `prefix` is compared; the others
    can match any value.
    """
    return all(_values_overlap(one[name], other[name]) for name in one.keys() & other.keys() if name != "$or")


def _values_overlap(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return overlap(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return any(_match(a, b) or _match(b, a) for a in one for b in other)
    return True


def _match(one: object, other: object) -> bool:
    if not isinstance(one, dict):
        return one == other or (isinstance(other, dict) and "prefix" not in other)
    prefix = one.get("prefix")
    return not isinstance(prefix, str) or not isinstance(other, str) or other.startswith(prefix)
