"""Test of a workflow by Step Functions' TestState: each state, and each error that it handles.

The results of tasks are given with the request, so nothing is changed. TestState's answers are compared with those that
the Amazon States Language prescribes for the definition: the next state, a retry, a catcher, or the end.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from darkroom.workflow import MISSING, DefinitionError, find, walk
from scripts.aws_checks.states_language import RETRIER_DEFAULTS, inside, machines, states, successors, tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# "TestState only supports the following when a mock is specified: … Parallel, or Map states." Tasks must not run.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
MOCKED = {"Task", "Parallel", "Map"}

# States.ALL matches any error except these two: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
UNCATCHABLE = {"States.DataLimitExceeded", "States.Runtime"}
# Errors to try for `States.ALL`: of Step Functions, of a service, and one with an unknown name.
ANY = ("States.Timeout", "States.TaskFailed", "DynamoDB.ProvisionedThroughputExceededException", "Smoke.NeverHeardOf")


@dataclass(frozen=True)
class Answer:
    """Answer of TestState, found or expected: the status of a state, and the next state."""

    status: str
    next: str | None = None


def errors_of(state: Mapping[str, Any]) -> list[str]:
    """Return the names of the errors to try on a state: all that it retries or catches, some for `States.ALL`."""
    named = [name for handler in _handlers(state) for name in handler["ErrorEquals"]]
    return list(dict.fromkeys(one for name in named for one in (ANY if name == "States.ALL" else (name,))))


def _handlers(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*state.get("Retry", ()), *state.get("Catch", ())]


def retrier_of(state: Mapping[str, Any], error: str) -> Mapping[str, Any] | None:
    """Return the first retrier that matches an error."""
    return next((one for one in state.get("Retry", ()) if _matches(one, error)), None)


def attempts_of(retrier: Mapping[str, Any] | None) -> int:
    """Return the number of retries of a retrier."""
    return int({**RETRIER_DEFAULTS, **retrier}["MaxAttempts"]) if retrier else 0


def outcome_of(state: Mapping[str, Any], error: str, retried: int) -> Answer:
    """Return the answer that an error must get: retriers precede catchers, and the first match decides."""
    if retried < attempts_of(retrier_of(state, error)):
        return Answer("RETRIABLE")
    catcher = next((one for one in state.get("Catch", ()) if _matches(one, error)), None)
    return Answer("CAUGHT_ERROR", catcher["Next"]) if catcher else Answer("FAILED")


def _matches(handler: Mapping[str, Any], error: str) -> bool:
    names = handler["ErrorEquals"]
    if error in names:
        return True
    if "States.ALL" in names:
        return error not in UNCATCHABLE
    return "States.TaskFailed" in names and error not in UNCATCHABLE | {"States.Timeout"}


class StateTester:
    """Test of all states of a definition by TestState.

    Attributes:
        wrong: Answers that differ from the definition, each in a sentence.
        states: The states that were tested.
        errors: Number of errors that were tried.
        calls: Number of calls of TestState.
    """

    def __init__(self, client: Any, definition: Mapping[str, Any]) -> None:  # noqa: ANN401 - boto3's, or a substitute
        self._client = client
        self._definition = definition
        self._known = dict(states(definition))
        self._event: Mapping[str, Any] = {}
        self._waiting: list[tuple[str, Any, Mapping[str, Any]]] = []  # state, its input, the event that led there
        self.wrong: list[str] = []
        self.states: set[str] = set()
        self.errors = 0
        self.calls = 0

    def run(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Follow each event through the definition; then test the states that none of them reached, and all errors."""
        for event in events:
            self._event = event
            entered: list[str] = []
            self._follow(self._definition, None, copy.deepcopy(event), entered)
            if entered != (must := walk(self._definition, event).entered):
                self.wrong.append(f"the event {event.get('id')} enters {' '.join(entered)} and not {' '.join(must)}")
        while self._waiting:
            name, data, self._event = self._waiting.pop()
            if name not in self.states:
                machine = next(one for one in machines(self._definition) if name in one["States"])
                self._follow(machine, name, data, [])
        if missed := set(self._known) - self.states:
            self.wrong.append(f"not reached: {', '.join(sorted(missed))}")

    def _follow(self, machine: Mapping[str, Any], start: str | None, data: Any, entered: list[str]) -> None:  # noqa: ANN401 - JSON
        name: str | None = start or machine["StartAt"]
        while name:
            state = machine["States"][name]
            entered.append(name)
            result = self._inside_of(state, data, entered)
            answer = self._ask(name, state, data, {"result": json.dumps(result)})
            must = Answer("FAILED" if state["Type"] == "Fail" else "SUCCEEDED", state.get("Next"))
            if state["Type"] == "Choice":
                must = Answer("SUCCEEDED", answer.get("nextState"))
                self._waiting += [(target, data, self._event) for target in successors(state)]
            self._judge(name, must, answer, "")
            if name not in self.states:
                self.states.add(name)
                self._try_errors(name, state, data)
            if answer["status"] != "SUCCEEDED":
                return
            data, name = json.loads(answer["output"]), answer.get("nextState")

    def _inside_of(self, state: Mapping[str, Any], data: Any, entered: list[str]) -> Any:  # noqa: ANN401 - JSON
        """Follow the machines in a state; return the result of the state."""
        match state["Type"]:
            case "Parallel":
                for branch in state["Branches"]:
                    self._follow(branch, None, copy.deepcopy(data), entered)
                return [{} for _ in state["Branches"]]
            case "Map":
                items = find(data, state.get("ItemsPath", "$"))
                items = items if isinstance(items, list) else []
                for item in items:
                    given = _resolve(state.get("ItemSelector", item), data, item)
                    self._follow(state["ItemProcessor"], None, given, entered)
                return [{} for _ in items]
        return {}

    def _try_errors(self, name: str, state: Mapping[str, Any], data: Any) -> None:  # noqa: ANN401 - JSON
        for error in errors_of(state):
            self.errors += 1
            for retried in sorted({0, attempts_of(retrier_of(state, error))}):
                settings: dict[str, Any] = {"retrierRetryCount": retried}
                if inner := [one for machine in inside(state) for one, _ in tasks(machine)]:
                    settings["errorCausedByState"] = inner[0]
                mock = {"errorOutput": {"error": error, "cause": "given by the smoke test"}}
                answer = self._ask(name, state, data, mock, settings)
                self._judge(name, outcome_of(state, error, retried), answer, f" on {error} after {retried} retries")
                if answer["status"] == "CAUGHT_ERROR":
                    self._waiting.append((answer["nextState"], json.loads(answer["output"]), self._event))

    def _judge(self, name: str, must: Answer, answer: Mapping[str, Any], when: str) -> None:
        found = Answer(answer["status"], answer.get("nextState"))
        if found != must:
            why = f" ({answer['error']}: {answer.get('cause')})" if "error" in answer else ""
            self.wrong.append(
                f"{name}{when} is {found.status}, next {found.next}{why}, and not {must.status}, next {must.next}"
            )

    def _ask(
        self,
        name: str,
        state: Mapping[str, Any],
        data: Any,  # noqa: ANN401 - JSON
        mock: Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        self.calls += 1
        request: dict[str, Any] = {"definition": json.dumps(state), "input": json.dumps(data)}
        if state["Type"] in MOCKED:  # only then may there be a context
            request |= {"mock": mock, "context": json.dumps(self._context(name))}
        if settings:
            request["stateConfiguration"] = settings
        answer: Mapping[str, Any] = self._client.test_state(**request)
        return answer

    def _context(self, name: str) -> dict[str, Any]:
        now = "2026-01-01T00:00:00.000Z"
        return {
            "Execution": {"Id": "smoke", "Input": self._event, "Name": "smoke", "StartTime": now},
            "Map": {"Item": {"Index": 0, "Value": {}}},
            "State": {"EnteredTime": now, "Name": name, "RetryCount": 0},
        }


def _resolve(selector: Any, data: Any, item: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the input of an item processor; intrinsic functions are not evaluated."""
    if not isinstance(selector, dict):
        return selector
    resolved = {}
    for key, value in selector.items():
        if not key.endswith(".$"):
            resolved[key] = _resolve(value, data, item)
        elif value.startswith("$$.Map.Item.Value"):
            resolved[key[:-2]] = _there(item, value.removeprefix("$$.Map.Item.Value"))
        elif value.startswith("$."):
            resolved[key[:-2]] = _there(data, value)
        else:
            resolved[key[:-2]] = value
    return resolved


def _there(data: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    if (found := find(data, path)) is MISSING:
        raise DefinitionError(f"{path} is not in {json.dumps(data)}")
    return found


def slowed(definition: Mapping[str, Any], event: Mapping[str, Any], queue_url: str) -> dict[str, Any]:
    """Return the definition with the first Task of an event's way made slower than its timeout.

    The Task waits for a message in an empty queue for 20 s, with a timeout of 1 s. Everything else is unchanged, its
    Retry and Catch too, so the workflow itself handles the timeout.
    """
    slow = copy.deepcopy(dict(definition))
    task: Any = walk(slow, event).tasks[0]
    partition = task["Resource"].split(":")[1]
    task["Resource"] = f"arn:{partition}:states:::aws-sdk:sqs:receiveMessage"
    for name in [name for name in task if name.startswith("Parameters")]:
        del task[name]
    task |= {"Parameters": {"QueueUrl": queue_url, "WaitTimeSeconds": 20}, "TimeoutSeconds": 1}
    return slow
