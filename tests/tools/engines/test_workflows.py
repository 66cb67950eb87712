"""Step Functions' JSON paths, each parsed once: what workflows make of them is the same as without."""

from __future__ import annotations

import json
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from scripts import ROOT
from scripts.engines.pip import PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator

# Runs on LocalStack's own Python: what it makes of paths before and after the adapter has been called, as JSON.
PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from importlib.metadata import entry_points
from localstack.services.stepfunctions.asl.component.common.path import result_path
from localstack.services.stepfunctions.asl.utils import json_path

find, put, documents = json.load(sys.stdin)

def extract(path, document):
    try:
        return json_path.extract_json(path, document)
    except json_path.NoSuchJsonPathError:
        return "nothing"

def update(path, document):
    return result_path.parse(path).update_or_create(deepcopy(document), {"new": [1]})

def everything():
    with ThreadPoolExecutor(8) as pool:
        return [
            list(pool.map(do, [path for path in paths for _ in documents], documents * len(paths)))
            for do, paths in ((extract, find), (update, put))
        ]

def once(module):
    return module.parse("$.a") is module.parse("$.a")

before, kept = everything(), [once(json_path), once(result_path)]
(hook,) = [e for e in entry_points(group="localstack.hooks.on_infra_start") if e.name == "remember_json_paths"]
hook.load()()
print(json.dumps({
    "same": [everything(), everything()] == [before, before],
    "before": before,
    "kept_before": kept,
    "kept": [once(json_path), once(result_path)],
    "mixed_up": json_path.parse("$.a") is result_path.parse("$.a"),
}))
"""

PUT = ["$", "$.new", "$.new.deeper"]
FIND = ["$", "$.a", "$.a.b", "$.list[0]", "$.list[*].n", "$.list[0:2]", "$.list[?(@.n > 1)].n", "$['a b']", "$.none"]
DOCUMENTS: list[dict[str, Any]] = [
    {"a": {"b": 1}, "list": [{"n": 1}, {"n": 2}, {"n": 3}], "a b": "spaced"},
    {"a": {"b": [None]}, "list": [], "a b": 0},
    {"a": "text", "list": [{"n": 5}]},
]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("LocalStack from PyPI is not installed: `make localstack-test LOCALSTACK=pip` does that")
    run = subprocess.run(
        [PYTHON, "-c", PROGRAM],
        input=json.dumps([FIND, PUT, DOCUMENTS]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def test_each_path_is_parsed_once(results: dict[str, Any]) -> None:
    assert results["kept_before"] == [False, False]
    assert results["kept"] == [True, True]


def test_paths_find_and_put_the_same(results: dict[str, Any]) -> None:
    answers, updated = (of_all[:: len(DOCUMENTS)] for of_all in results["before"])  # of the first document
    found = dict(zip(FIND, answers, strict=True))
    assert found["$.a.b"] == 1
    assert found["$.list[*].n"] == [1, 2, 3]
    assert found["$.none"] == "nothing"
    assert updated == [
        {"new": [1]},
        {**DOCUMENTS[0], "new": {"new": [1]}},
        {**DOCUMENTS[0], "new": {"deeper": {"new": [1]}}},
    ]
    assert results["same"]


def test_two_kinds_of_parser_are_separate(results: dict[str, Any]) -> None:
    assert not results["mixed_up"]


@pytest.fixture
def workflow(clients: Any, role: str) -> Iterator[str]:
    """Yield the ARN of a workflow that finds, puts and counts by paths."""
    counted = {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($.in.n, $.in.n)"}, "ResultPath": "$.out"}
    definition = {
        "StartAt": "Wrap",
        "States": {
            "Wrap": {"Type": "Pass", "InputPath": "$.list[0]", "ResultPath": "$.in", "Next": "Count"},
            "Count": {**counted, "Next": "Big?"},
            "Big?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.out.sum", "NumericGreaterThan": 10, "Next": "Big"}],
                "Default": "Small",
            },
            "Big": {"Type": "Pass", "Result": "big", "ResultPath": "$.size", "End": True},
            "Small": {"Type": "Pass", "Result": "small", "ResultPath": "$.size", "End": True},
        },
    }
    states = clients("stepfunctions")
    arn = states.create_state_machine(
        name=f"tested-{uuid.uuid4()}", type="EXPRESS", roleArn=role, definition=json.dumps(definition)
    )["stateMachineArn"]
    yield arn
    states.delete_state_machine(stateMachineArn=arn)


def test_executions_at_once_keep_to_their_own_input(clients: Any, workflow: str) -> None:
    # boto3 would call sync-127.0.0.1.
    states = clients("stepfunctions", config=Config(inject_host_prefix=False))

    def run(number: int) -> Any:
        answer = states.start_sync_execution(
            stateMachineArn=workflow, input=json.dumps({"list": [{"n": number}, {"n": -1}]})
        )
        assert answer["status"] == "SUCCEEDED", answer
        return json.loads(answer["output"])

    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(run, range(12)))
    assert outputs == [
        {
            "list": [{"n": number}, {"n": -1}],
            "in": {"n": number},
            "out": {"sum": 2 * number},
            "size": "big" if number > 5 else "small",
        }
        for number in range(12)
    ]
