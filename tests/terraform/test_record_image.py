"""The record workflow's definition, as Terraform renders it: where its states lead, and what its steps do."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.workflow import walk
from process_image.processor import VERSIONS_AT_ONCE
from scripts.aws_checks.workflow_duration import longest
from scripts.contracts.events import load
from scripts.terraform.copy import TERRAFORM
from tests.support.record_image import record_tf, rendered, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterator

CONDITION = "DynamoDB.ConditionalCheckFailedException"
# https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
EXPRESS_SECONDS = 300
ROOM_SECONDS = 30  # for what Step Functions itself takes from state to state


@pytest.fixture(scope="module")
def text() -> str:
    return rendered()


@pytest.fixture(scope="module")
def definition(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def machines(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the machine and its nested machines: branches of Parallel states, processors of Map states."""
    yield machine
    for state in machine["States"].values():
        for inner in [*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]:
            yield from machines(inner)


def successors(state: dict[str, Any]) -> set[str]:
    places = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {place[name] for place in places for name in ("Next", "Default") if name in place}


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: state
        for machine in machines(definition)
        for name, state in machine["States"].items()
        if state["Type"] == "Task"
    }


def test_every_state_leads_to_states_that_exist(definition: dict[str, Any]) -> None:
    for machine in machines(definition):
        assert machine["StartAt"] in machine["States"]
        for name, state in machine["States"].items():
            assert successors(state) <= set(machine["States"]), name


def test_every_state_can_be_reached(definition: dict[str, Any]) -> None:
    for machine in machines(definition):
        reached, left = set(), [machine["StartAt"]]
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += successors(machine["States"][name])
        assert reached == set(machine["States"])


def test_every_state_goes_on_or_ends(definition: dict[str, Any]) -> None:
    for machine in machines(definition):
        for name, state in machine["States"].items():
            ends = state.get("End") or state["Type"] in {"Succeed", "Fail"}
            goes_on = "Next" in state or (state["Type"] == "Choice" and "Default" in state)
            assert bool(ends) != goes_on, name


def test_no_name_is_used_twice(definition: dict[str, Any]) -> None:
    names = [name for machine in machines(definition) for name in machine["States"]]
    assert len(names) == len(set(names))


def test_tasks_retry_except_after_a_failed_condition(definition: dict[str, Any]) -> None:
    assert tasks(definition)
    for name, task in tasks(definition).items():
        *before, last = task["Retry"]
        conditional = any(key.startswith("ConditionExpression") for key in task["Parameters"])
        assert before == ([{"ErrorEquals": [CONDITION], "MaxAttempts": 0}] if conditional else []), name
        assert last["ErrorEquals"] == ["States.ALL"], name
        assert last["MaxAttempts"] >= 3, name


def test_a_failed_condition_is_no_failure(definition: dict[str, Any]) -> None:
    for name, task in tasks(definition).items():
        conditional = any(key.startswith("ConditionExpression") for key in task["Parameters"])
        caught = [catch["ErrorEquals"] for catch in task.get("Catch", [])]
        assert caught == ([[CONDITION]] if conditional else []), name


def test_any_failure_keeps_the_original_event(definition: dict[str, Any]) -> None:
    """All steps are in one branch with a Catch for all errors, except the steps that keep the event."""
    record = definition["States"]["Record"]
    assert definition["StartAt"] == "Record"
    assert [catch["ErrorEquals"] for catch in record["Catch"]] == [["States.ALL"]]
    (branch,) = record["Branches"]
    outside = set(tasks(definition)) - set(tasks(branch))
    assert outside == {record["Catch"][0]["Next"]}
    keep = definition["States"][outside.pop()]
    assert keep["Resource"].endswith(":sqs:sendMessage")
    assert keep["Parameters"]["QueueUrl"] == "<dlq_url>"
    assert keep["Parameters"]["MessageBody.$"] == "States.JsonToString($$.Execution.Input)"
    assert definition["States"][keep["Next"]]["Type"] == "Fail", "the execution shows as failed all the same"


def test_every_write_to_the_table_is_conditional(definition: dict[str, Any]) -> None:
    writes = {name: task for name, task in tasks(definition).items() if task["Resource"].endswith("updateItem")}
    assert len(writes) > 3
    for name, task in writes.items():
        assert {"ConditionExpression", "ConditionExpression.$"} & set(task["Parameters"]), name


def test_every_read_of_the_table_is_consistent(definition: dict[str, Any]) -> None:
    reads = {name: task for name, task in tasks(definition).items() if task["Resource"].endswith("getItem")}
    assert set(reads) == {"ReadCurrent", "ReadVersion"}
    for name, task in reads.items():
        assert task["Parameters"]["ConsistentRead"] is True, name


def test_every_version_has_its_time(definition: dict[str, Any]) -> None:
    """Readers of the table rely on it. `MarkNotified` and `CloseVersion` require an existing item."""
    makes = {
        name: task["Parameters"]["UpdateExpression"]
        for name, task in tasks(definition).items()
        if "version#" in json.dumps(task["Parameters"].get("Key"))
        and "UpdateExpression" in task["Parameters"]
        and task["Parameters"].get("ConditionExpression") != "dedup_id = :dedup_id"
    }
    makes.pop("CloseVersion")
    times = {name: set(re.findall(r"(\w+_at) = :\1", update)) - {"recorded_at"} for name, update in makes.items()}
    assert times == {"PutVersion": {"uploaded_at"}, "DeleteVersion": {"deleted_at"}, "DeleteOne": {"deleted_at"}}


def test_failure_always_names_the_image(definition: dict[str, Any]) -> None:
    """The log gets no more of it than the cause; what keeping the event answers must not take the image's id along."""
    failed = definition["States"]["Failed"]
    assert re.findall(r"\$[\w.]+", failed["CausePath"]) == ["$.detail.image_id", "$.error.Error"]
    for state in (definition["States"]["Record"]["Catch"][0], definition["States"]["KeepEvent"]):
        assert state["ResultPath"].count(".") == 1, state
        assert state["ResultPath"] != "$.detail"


def alternatives(definition: dict[str, Any], expression: str) -> list[str]:
    """Return an expression with the possible values from earlier states: `$.guard.condition` is one of several."""
    path = re.search(r"\$\.(\w+)\.(\w+)", expression)
    if path is None:
        return [expression]
    passed = [
        state.get("Result") or state.get("Parameters")
        for machine in machines(definition)
        for state in machine["States"].values()
        if state.get("ResultPath") == f"$.{path[1]}"
    ]
    assert len(passed) > 1, path[0]
    return [f"{expression} {values[path[2]]}" for values in passed]


def test_expressions_use_all_values_and_names(definition: dict[str, Any]) -> None:
    """DynamoDB refuses an expression that leaves one unused, or that uses one it is not given."""
    for name, task in tasks(definition).items():
        parameters = task["Parameters"]
        expressions = [
            alternatives(definition, parameters[key])
            for key in parameters
            if re.fullmatch(r"(Condition|Projection|Update)Expression(\.\$)?", key)
        ]
        values = {key.removesuffix(".$") for key in parameters.get("ExpressionAttributeValues", {})}
        names = set(parameters.get("ExpressionAttributeNames", {}))
        for chosen in itertools.product(*expressions):
            assert set(re.findall(r":[a-z_]+", " ".join(chosen))) == values, name
            assert set(re.findall(r"#[a-z_]+", " ".join(chosen))) == names, name


def test_notification_has_the_filter_attributes(definition: dict[str, Any]) -> None:
    (publish,) = (task for task in tasks(definition).values() if task["Resource"].endswith(":sns:publish"))
    parameters = publish["Parameters"]
    assert parameters["TopicArn"] == "<topic_arn>"
    assert parameters["Subject.$"] == "$.detail.summary"
    assert parameters["Message.$"] == "States.JsonToString($.detail)"
    assert parameters["MessageAttributes"] == {
        name: {"DataType": "String", "StringValue.$": f"$.detail.{name}"} for name in ("status", "image_id", "dedup_id")
    }


def test_workflow_only_uses_service_integrations(definition: dict[str, Any], text: str) -> None:
    assert "lambda" not in text.lower()
    integrations = {task["Resource"] for task in tasks(definition).values()}
    assert integrations == {
        f"arn:<partition>:states:::{action}"
        for action in ("dynamodb:getItem", "dynamodb:updateItem", "sns:publish", "sqs:sendMessage")
    }


def test_role_has_exactly_the_steps_actions(definition: dict[str, Any]) -> None:
    (document,) = (one['"aws_iam_policy_document"']['"record_image"'] for one in record_tf()["data"])
    allowed = {action for statement in document["statement"] for action in unquoted(statement["actions"])}
    done = {task["Resource"].rpartition(":::")[2] for task in tasks(definition).values()}
    assert {action for action in allowed if not action.startswith("kms:")} == {
        f"{service}:{action[0].upper()}{action[1:]}" for service, _, action in (one.partition(":") for one in done)
    }


def promised(schema: dict[str, Any], path: str) -> bool:
    """Return True if every value of a schema has something at a path of names; [*] is each item of a list."""
    name, _, rest = path.partition(".")
    field = name.removesuffix("[*]")
    if field not in schema.get("required", ()):
        return False
    inner = schema["properties"][field]
    return not rest or promised(inner["items"] if name.endswith("[*]") else inner, rest)


def test_workflow_only_reads_required_fields(text: str) -> None:
    """A path without a value fails an execution, and no Catch handles it."""
    schemas = [contract.versions[1] for contract in load().values() if contract.versions]
    read = set(re.findall(r"\$\.detail\.([\w.]+)", text))
    # The one Map whose items are objects goes over the variants.
    read |= {f"variants[*].{name}" for name in re.findall(r"\$\$\.Map\.Item\.Value\.(\w+)", text)}
    assert {"original.width", "reason.code", "variants[*].key"} < read
    for path in read:
        having = [schema for schema in schemas if path.split(".")[0].removesuffix("[*]") in schema["properties"]]
        assert having, path
        if path in {"original.width", "original.height", "original.format"}:  # unknown for a rejected image
            having = [schema for schema in having if schema["properties"]["status"]["const"] == "Processed"]
        assert all(promised(schema, path) for schema in having), path


def test_maps_do_not_copy_the_event_into_iterations(definition: dict[str, Any]) -> None:
    """All of it together must fit into 256 KB, and what does not is an error that no Catch sees."""
    maps = {
        name: state
        for machine in machines(definition)
        for name, state in machine["States"].items()
        if state["Type"] == "Map"
    }
    assert len(maps) == 2
    for name, state in maps.items():
        copied = set(re.findall(r'"(\$[^"]*)"', json.dumps(state["ItemSelector"])))
        assert not {"$", "$.detail", "$$.Execution.Input"} & copied, name
        last = [inner for inner in state["ItemProcessor"]["States"].values() if inner.get("End")]
        assert state["ResultPath"] is None or name == "TypeVariants", name
        assert all(inner["Type"] == "Pass" for inner in last), name


def test_query_language_is_jsonpath(definition: dict[str, Any]) -> None:
    assert "QueryLanguage" not in definition
    for machine in machines(definition):
        for name, state in machine["States"].items():
            assert not {"QueryLanguage", "Arguments", "Output", "Assign"} & set(state), name


def test_tasks_have_a_timeout_and_retry_after_it(definition: dict[str, Any]) -> None:
    """States.TaskFailed would match every error but this one."""
    for name, task in tasks(definition).items():
        assert task["TimeoutSeconds"] >= 3, name
        assert "States.ALL" in task["Retry"][-1]["ErrorEquals"], name


def limits() -> dict[str, int]:
    """Return how many items a list in an event may have, by its path."""
    return {
        f"$.detail.{name}": field["maxItems"]
        for contract in load().values()
        for schema in contract.versions.values()
        for name, field in schema["properties"].items()
        if "maxItems" in field
    }


def test_execution_has_no_timeout(definition: dict[str, Any]) -> None:
    """No Catch sees such a timeout, and the event would be lost: every way to the end is shorter."""
    assert "TimeoutSeconds" not in definition
    assert longest(definition, limits()) <= EXPRESS_SECONDS - ROOM_SECONDS


def test_deleted_versions_are_limited_by_the_contract() -> None:
    assert limits() == {"$.detail.deleted_versions": VERSIONS_AT_ONCE}


def without_closed_versions(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition that enters the state after CloseVersion as if its condition failed: a walk never fails."""
    changed: dict[str, Any] = json.loads(json.dumps(definition))
    states = changed["States"]["Record"]["Branches"][0]["States"]
    (catch,) = states["CloseVersion"]["Catch"]
    for name in ("ImageDeletedBefore", "VersionDeletedBefore"):
        states[name]["Next"] = catch["Next"]
    return changed


def test_every_event_finds_its_way_to_the_end(definition: dict[str, Any]) -> None:
    for name, contract in load().items():
        for event in contract.examples.values() if contract.versions else ():
            way = walk(without_closed_versions(definition), event)
            assert way.entered[-1] == "Done", name
            assert {"Notify", "MarkNotified"} <= set(way.entered), name


def test_version_deletion_keeps_the_image(definition: dict[str, Any]) -> None:
    (event,) = load()["image_version_deleted"].examples.values()
    entered = walk(without_closed_versions(definition), event).entered
    assert {"DeleteVersion", "Notify", "MarkNotified"} <= set(entered)
    assert not {"DeleteVersions", "DeleteCurrent", "CloseCurrent"} & set(entered)


def test_further_part_of_a_deletion_closes_versions(definition: dict[str, Any]) -> None:
    (first,) = load()["image_deleted"].examples.values()
    entered = walk(definition, {**first, "detail": {**first["detail"], "part": 1}}).entered
    assert {"DeleteVersions", "DeleteOne", "Done"} <= set(entered)
    assert not {"DeleteVersion", "DeleteCurrent", "Notify", "MarkNotified"} & set(entered)


def test_dashboard_has_the_number_of_states(definition: dict[str, Any]) -> None:
    """A standard workflow is billed by it."""
    (event,) = load()["image_processed"].examples.values()
    counted = re.search(
        r"record_image_states = (\d+) \+ length\(var\.variants\)", (TERRAFORM / "8_observe.tf").read_text()
    )
    assert counted
    assert len(walk(definition, event).entered) == int(counted[1]) + len(event["detail"]["variants"])
