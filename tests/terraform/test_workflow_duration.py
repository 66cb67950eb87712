"""Upper bound of a workflow's duration, on small definitions whose bound can be counted."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.aws_checks.workflow_duration import UnboundedError, longest

END = {"Type": "Succeed"}


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "TimeoutSeconds": 5, **({} if "Next" in more else {"End": True}), **more}


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


@pytest.mark.parametrize(
    ("definition", "seconds"),
    [
        (machine(A=task()), 5),
        (machine(A=task(Next="B"), B={"Type": "Wait", "Seconds": 10, "Next": "C"}, C=task()), 20),
        (machine(A=task(Retry=[{"ErrorEquals": ["States.ALL"]}])), 4 * 5 + 1 + 2 + 4),
        (
            machine(A=task(Retry=[{"IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 3, "MaxDelaySeconds": 10}])),
            4 * 5 + 2 + 6 + 10,
        ),
        (machine(A=task(Retry=[{"MaxAttempts": 0}, {"MaxAttempts": 1}, {"MaxAttempts": 2}])), 4 * 5 + 1 + 1 + 2),
        (machine(A=task(Next="C", Catch=[{"Next": "B"}]), B=task(Next="C"), C=END), 10),
        (machine(A={"Type": "Choice", "Choices": [{"Next": "B"}], "Default": "C"}, B=task(Next="C"), C=END), 5),
        (
            machine(
                A={
                    "Type": "Parallel",
                    "Branches": [machine(B=task()), machine(C=task(Next="D"), D=task())],
                    "End": True,
                }
            ),
            10,
        ),
    ],
    ids=["task", "wait", "retry", "slower retry", "retriers", "catch", "choice", "parallel"],
)
def test_bound_is_the_longest_way(definition: dict[str, Any], seconds: float) -> None:
    assert longest(definition, {}) == seconds


@pytest.mark.parametrize(("concurrency", "rounds"), [(None, 3), (0, 3), (40, 3), (1000, 3), (20, 5), (1, 100)], ids=str)
def test_map_runs_in_rounds_of_concurrent_items(concurrency: int | None, rounds: int) -> None:
    state = {"Type": "Map", "ItemsPath": "$.keys", "ItemProcessor": machine(B=task()), "End": True}
    if concurrency is not None:
        state["MaxConcurrency"] = concurrency
    assert longest(machine(A=state), {"$.keys": 100}) == rounds * 5


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (machine(A={"Type": "Task", "End": True}), "task A has no TimeoutSeconds"),
        (
            machine(A={"Type": "Wait", "SecondsPath": "$.seconds", "End": True}),
            "A waits for a time that its input decides",
        ),
        (
            machine(A={"Type": "Map", "ItemProcessor": machine(B=task()), "End": True}),
            "Map A takes any number of items of \\$:",
        ),
        (machine(A=task(Next="B"), B=task(Next="A")), "A > B > A is a loop"),
    ],
    ids=["no timeout", "wait by input", "items without limit", "loop"],
)
def test_way_without_a_bound_is_refused(definition: dict[str, Any], message: str) -> None:
    with pytest.raises(UnboundedError, match=message):
        longest(definition, {})
