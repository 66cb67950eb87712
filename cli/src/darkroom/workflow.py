"""Walk through a workflow's definition with one event: the states it enters, and the tasks it runs."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1000  # states; more are a loop

MISSING = object()  # result of a path that the data does not have


class DefinitionError(Exception):
    """A part of the definition that `walk` does not support. The message names it."""


@dataclass
class Walk:
    """States that one event enters.

    Attributes:
        entered: Names of the states, in order. Step Functions counts each as a transition.
        tasks: Task states among them.
        fan_out: Number of branches and items of Parallel and Map states.
        ended: Type of the last state.
    """

    entered: list[str] = field(default_factory=list)
    tasks: list[Mapping[str, Any]] = field(default_factory=list)
    fan_out: int = 0
    ended: str = ""


def walk(definition: Mapping[str, Any], event: Mapping[str, Any]) -> Walk:
    """Walk through a JSONPath definition with an event, as if all tasks succeeded and returned nothing.

    Raises:
        DefinitionError: A state or a comparison is not supported, or the walk does not end.
    """
    way = Walk()
    _walk(definition, copy.deepcopy(dict(event)), way)
    return way


def _walk(definition: Mapping[str, Any], data: Any, way: Walk) -> Any:  # noqa: ANN401 - JSON
    name = definition["StartAt"]
    while True:
        state = definition["States"][name]
        kind = state["Type"]
        way.entered.append(name)
        if len(way.entered) > LONGEST:
            raise DefinitionError(f"the definition does not end: it returns to {name}")
        if kind == "Choice":
            name = choose(state, data)
            continue
        data = _run(name, state, data, way)
        if kind in {"Succeed", "Fail"} or state.get("End"):
            way.ended = kind
            return data
        name = state["Next"]


def _run(name: str, state: Mapping[str, Any], data: Any, way: Walk) -> Any:  # noqa: ANN401 - JSON
    """Run a state other than Choice, and return its output."""
    match state["Type"]:
        case "Task":
            way.tasks.append(state)
            result: Any = {}
        case "Pass":
            result = state.get("Result", {} if "Parameters" in state else data)
        case "Map":
            items = find(data, state.get("ItemsPath", "$"))
            items = items if isinstance(items, list) else []
            way.fan_out += len(items)
            result = [_walk(state["ItemProcessor"], {}, way) for _ in items]
        case "Parallel":
            way.fan_out += len(state["Branches"])
            result = [_walk(branch, copy.deepcopy(data), way) for branch in state["Branches"]]
        case "Succeed" | "Fail" | "Wait":
            return data
        case kind:
            raise DefinitionError(f"state {name} has the type {kind}, which is not supported")
    return put(data, state.get("ResultPath", "$"), result)


def put(data: Any, path: str | None, result: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a state's output: its input with the result at `path`, which is a ResultPath."""
    if path is None:
        return data
    names = _names(path)
    if not names:
        return result
    place = data
    for parent in names[:-1]:
        place = place.setdefault(parent, {})
    place[names[-1]] = result
    return data


def choose(state: Mapping[str, Any], data: Any) -> str:  # noqa: ANN401 - JSON
    """Return the name of the state that a Choice selects.

    Raises:
        DefinitionError: No rule matches and there is no Default, or a comparison is not supported.
    """
    chosen = next((choice["Next"] for choice in state["Choices"] if _holds(choice, data)), state.get("Default"))
    if chosen is None:
        raise DefinitionError("a Choice without Default has no rule that matches")
    return str(chosen)


def _holds(rule: Mapping[str, Any], data: Any) -> bool:  # noqa: ANN401 - JSON
    if "And" in rule:
        return all(_holds(one, data) for one in rule["And"])
    found = find(data, rule["Variable"])
    ((comparison, operand),) = ((key, value) for key, value in rule.items() if key not in {"Variable", "Next"})
    match comparison:
        case "IsPresent":
            holds = (found is not MISSING) is operand
        case "IsString":
            holds = isinstance(found, str) is operand
        case "BooleanEquals" | "StringEquals":
            holds = found == operand
        case "NumericGreaterThan":
            holds = isinstance(found, int | float) and found > operand
        case "StringEqualsPath":
            holds = found == find(data, operand)
        case _:
            raise DefinitionError(f"the comparison {comparison} is not supported")
    return bool(holds)


def find(data: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """Return the value at a path such as `$.detail.owner` or `$['replay-name']`; MISSING if there is none."""
    for name in _names(path):
        if not isinstance(data, dict) or name not in data:
            return MISSING
        data = data[name]
    return data


def _names(path: str) -> list[str]:
    return [dotted or quoted for dotted, quoted in re.findall(r"\.(\w+)|\['([^']+)'\]", path)]
