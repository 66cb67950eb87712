"""The record workflow on moto's DynamoDB: an interpreter of the definition that Terraform renders."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom.workflow import choose, find, put
from reconcile.records import plain
from tests.support.record_image import rendered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "<table>"


class DiedError(Exception):
    """The execution ended before it entered a state."""


class TaskError(Exception):
    """A task failed with the error `name`, which Catch compares."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Workflow:
    """Executions of the workflow, on one table.

    Attributes:
        dynamodb: The client of the table's service.
        published: Details of the notifications, in order.
        entered: States of the last execution, in order.
        dies_at: Name of the state before which the next execution ends.
    """

    dynamodb: DynamoDBClient
    published: list[dict[str, Any]] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    dies_at: str = ""

    def __post_init__(self) -> None:
        """Create the table."""
        self._definition: dict[str, Any] = json.loads(rendered())
        self._clock = 0
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "image_id", "KeyType": "HASH"},
                {"AttributeName": "record", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "image_id", "AttributeType": "S"},
                {"AttributeName": "record", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def run(self, detail: Mapping[str, Any], *, dies_at: str = "") -> None:
        """Run one execution to its end, or until it fails."""
        event = {"detail": copy.deepcopy(dict(detail))}
        self.entered, self.dies_at = [], dies_at
        try:
            self._run(self._definition, copy.deepcopy(event), {"Execution": {"Input": event}})
        except DiedError:
            return
        assert not dies_at, f"{dies_at} was not entered"
        assert "KeepEvent" not in self.entered, self.entered

    def items(self, image_id: str) -> dict[str, dict[str, Any]]:
        """Return the items of an image by their records."""
        answer = self.dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="image_id = :id",
            ExpressionAttributeValues={":id": {"S": image_id}},
        )
        return {item["record"]: item for item in map(plain, answer["Items"])}

    def _run(self, machine: Mapping[str, Any], data: Any, context: dict[str, Any]) -> Any:
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            self.entered.append(name)
            if name == self.dies_at:
                raise DiedError
            self._clock += 1
            context = {**context, "State": {"EnteredTime": f"2026-12-01T00:00:00.{self._clock:03}Z"}}
            kind = state["Type"]
            if kind == "Choice":
                name = choose(state, data)
                continue
            if kind in {"Succeed", "Fail"}:
                return data
            try:
                data = put(data, state.get("ResultPath", "$"), self._result(state, data, context))
            except TaskError as error:
                caught = next(
                    (one for one in state.get("Catch", ()) if {error.name, "States.ALL"} & set(one["ErrorEquals"])),
                    None,
                )
                if caught is None:
                    raise
                data = put(data, caught.get("ResultPath", "$"), {"Error": error.name})
                name = caught["Next"]
                continue
            if state.get("End"):
                return data
            name = state["Next"]

    def _result(self, state: Mapping[str, Any], data: Any, context: dict[str, Any]) -> Any:
        match state["Type"]:
            case "Pass":
                return state.get("Result", _fill(state["Parameters"], data, context) if "Parameters" in state else data)
            case "Wait":
                return data
            case "Parallel":
                return [self._run(branch, copy.deepcopy(data), context) for branch in state["Branches"]]
            case "Map":
                results = []
                for value in find(data, state["ItemsPath"]):
                    inner = {**context, "Map": {"Item": {"Value": value}}}
                    item = _fill(state["ItemSelector"], data, inner)
                    results.append(self._run(state["ItemProcessor"], item, inner))
                return results
            case "Task":
                return self._call(state["Resource"].rpartition(":::")[2], _fill(state["Parameters"], data, context))
            case kind:
                raise AssertionError(f"the interpreter does not know {kind}")

    def _call(self, action: str, parameters: Any) -> Any:
        if action == "sns:publish":
            self.published.append(json.loads(parameters["Message"]))
            return {"MessageId": str(len(self.published))}
        operations: dict[str, Any] = {
            "dynamodb:getItem": self.dynamodb.get_item,
            "dynamodb:updateItem": self.dynamodb.update_item,
        }
        try:
            return {
                name: value for name, value in operations[action](**parameters).items() if name != "ResponseMetadata"
            }
        except ClientError as error:
            raise TaskError(f"DynamoDB.{error.response['Error']['Code']}") from error


def _fill(template: Any, data: Any, context: dict[str, Any]) -> Any:
    """Return a payload template with its paths and intrinsic functions evaluated."""
    if isinstance(template, list):
        return [_fill(inner, data, context) for inner in template]
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): _evaluate(value, data, context) if name.endswith(".$") else _fill(value, data, context)
        for name, value in template.items()
    }


def _evaluate(expression: str, data: Any, context: dict[str, Any]) -> Any:
    if call := re.fullmatch(r"States\.(Format|JsonToString)\((.*)\)", expression):
        arguments = [
            text if path is None else _evaluate(path, data, context)
            for text, path in ((one[1], one[2]) for one in re.finditer(r"'([^']*)'|(\$[^,\s]+)", call[2]))
        ]
        return json.dumps(arguments[0]) if call[1] == "JsonToString" else arguments[0].format(*arguments[1:])
    found = find(context, expression[1:]) if expression.startswith("$$") else find(data, expression)
    assert isinstance(found, str | int | float | dict | list | bool | None), f"{expression} has no value"
    return found
