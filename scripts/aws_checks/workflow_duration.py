"""Upper bound of the duration of a workflow's executions, over all ways through its definition.

Every task reaches its timeout at every attempt, every retry waits its full interval, and every Choice and Catch
takes the longer way. Pass, Choice, Succeed and Fail states count as zero seconds: leave a margin for them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scripts.aws_checks.states_language import RETRIER_DEFAULTS, successors

if TYPE_CHECKING:
    from collections.abc import Mapping

# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
INLINE_MAP_ITERATIONS = 40


class UnboundedError(Exception):
    """An execution has no upper bound; the message names the state and what to do."""


def longest(machine: Mapping[str, Any], items: Mapping[str, int]) -> float:
    """Return the duration in seconds of the longest way through a state machine.

    Args:
        machine: The definition, in JSONPath, or a branch or an item processor of it.
        items: Greatest number of items of each Map, by its ItemsPath.

    Raises:
        UnboundedError: A task has no timeout, a Map's items are not limited, or states form a loop.
    """
    return _from(machine, machine["StartAt"], items, ())


def _from(machine: Mapping[str, Any], name: str, items: Mapping[str, int], before: tuple[str, ...]) -> float:
    if name in before:
        raise UnboundedError(f"{' > '.join((*before, name))} is a loop: bound it by a count, or remove it")
    state = machine["States"][name]
    onward = [_from(machine, successor, items, (*before, name)) for successor in set(successors(state))]
    return _retried(state, _once(name, state, items)) + max(onward, default=0)


def _once(name: str, state: Mapping[str, Any], items: Mapping[str, int]) -> float:
    match state["Type"]:
        case "Task":
            if "TimeoutSeconds" not in state:
                raise UnboundedError(f"task {name} has no TimeoutSeconds, so it has no bound: set it")
            return float(state["TimeoutSeconds"])
        case "Wait":
            if "Seconds" not in state:
                raise UnboundedError(f"{name} waits for a time that its input decides: set Seconds")
            return float(state["Seconds"])
        case "Parallel":
            return max(longest(branch, items) for branch in state["Branches"])
        case "Map":
            each, path = longest(state["ItemProcessor"], items), state.get("ItemsPath", "$")
            if not each:
                return 0
            if path not in items:
                raise UnboundedError(f"Map {name} takes any number of items of {path}: limit them")
            concurrency = min(state.get("MaxConcurrency") or INLINE_MAP_ITERATIONS, INLINE_MAP_ITERATIONS)
            return math.ceil(items[path] / concurrency) * each
    return 0


def _retried(state: Mapping[str, Any], once: float) -> float:
    """Return the time of a state with all of its retries; each Retrier counts its own attempts."""
    total = once
    for retrier in ({**RETRIER_DEFAULTS, **one} for one in state.get("Retry", ())):
        for attempt in range(retrier["MaxAttempts"]):
            delay = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt
            total += min(delay, retrier.get("MaxDelaySeconds", math.inf)) + once
    return total
