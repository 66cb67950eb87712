from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.tools.aws_checks.planting import Mistake, in_json, replaced

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = "module.record_image.aws_sfn_state_machine.this"
API = "module.api[0].aws_api_gateway_rest_api.this"


def state(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Any], Any]:
    """Return a change of one state of a definition, wherever it is."""

    def change_it(machine: dict[str, Any]) -> None:
        for key, one in machine["States"].items():
            if key == name:
                change(one)
            for inner in [*one.get("Branches", []), *([one["ItemProcessor"]] if "ItemProcessor" in one else [])]:
                change_it(inner)

    return in_json(change_it)


def workflow(name: str, change: Callable[[dict[str, Any]], object], finding: str) -> Mistake:
    """Return a mistake in a state of the record workflow."""
    return Mistake("shapes", WORKFLOW, ["definition"], state(name, change), finding)


def api(method: str, path: str, change: Callable[[dict[str, Any]], object], finding: str) -> Mistake:
    """Return a mistake in a method of the API."""

    def change_it(document: dict[str, Any]) -> None:
        change(document["paths"][path][method])

    return Mistake("shapes", API, ["body"], in_json(change_it), finding)


def integration(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda method: change(method["x-amazon-apigateway-integration"])


def in_template(old: str, new: str) -> Callable[[dict[str, Any]], object]:
    """Return a change of a method's request template."""

    def change(method: dict[str, Any]) -> None:
        templates = method["x-amazon-apigateway-integration"]["requestTemplates"]
        templates["application/json"] = replaced(old, new)(templates["application/json"])

    return change


def text(old: str, new: str) -> Callable[[dict[str, Any]], object]:
    """Return a change that replaces a part of a state's or a method's JSON."""

    def change(one: dict[str, Any]) -> None:
        changed = json.loads(replaced(old, new)(json.dumps(one)))
        one.clear()
        one.update(changed)

    return change


MISTAKES = {
    # Requests of tasks
    "a parameter in camel case": workflow("ReadVersion", text("TableName", "tableName"), "tableName: GetItemInput"),
    "a required parameter is missing": workflow(
        "Notify", lambda task: task["Parameters"].pop("Message.$"), "Message is missing, and PublishInput requires it"
    ),
    "a value that is not in the enumeration": workflow(
        "PutVersion", text("ALL_OLD", "ALL_BEFORE"), "ReturnValues: 'ALL_BEFORE' is not one of NONE, ALL_OLD"
    ),
    "text for a boolean": workflow(
        "ReadVersion", text('"ConsistentRead": true', '"ConsistentRead": "true"'), "ConsistentRead: 'true' where true"
    ),
    "a type that DynamoDB does not have": workflow("MoveCurrent", text('"S": "current"', '"T": "current"'), "T: "),
    "a message attribute without its type": workflow(
        "Notify",
        lambda task: task["Parameters"]["MessageAttributes"]["status"].pop("DataType"),
        "MessageAttributes.status.DataType is missing",
    ),
    "an action that Step Functions does not optimize": workflow(
        "ReadVersion", text("dynamodb:getItem", "dynamodb:query"), "dynamodb:query is not among the optimized"
    ),
    # Expressions
    "a value that no expression uses": workflow(
        "MarkNotified", text(", notified_at = :notified_at", ""), "remove :notified_at"
    ),
    "a value that is not defined": workflow(
        "DeleteOne", text(", recorded_at = :recorded_at", ", recorded_at = :now"), "define :now, remove :recorded_at"
    ),
    "a name that a formatted expression does not use": workflow(
        "MoveCurrent", text("#owner = :owner", "owned_by = :owner"), "define nothing, remove #owner"
    ),
    "a value that only one of two conditions uses": workflow(
        "Guard", text("sequencer <= :sequencer", "sequencer <= :newest"), "define :newest, remove nothing"
    ),
    "a reserved word": workflow("MoveCurrent", text("recipe = :recipe", "view = :recipe"), "view is a reserved word"),
    "a function that DynamoDB does not have": workflow(
        "DeleteVersion", text("if_not_exists(#owner", "if_missing(#owner"), "DynamoDB has no function if_missing"
    ),
    "an expression that does not parse": workflow(
        "DeleteCurrent", text("current_sequencer <= :sequencer", "current_sequencer =< :sequencer"), "does not parse"
    ),
    "a key of another table": workflow(
        "ReadCurrent", text('"record"', '"version"'), "the table's key is image_id, record"
    ),
    # The language
    "a task without a timeout": workflow("KeepEvent", lambda task: task.pop("TimeoutSeconds"), "has no TimeoutSeconds"),
    "a field that is misspelled": workflow(
        "ReadVersion", text("TimeoutSeconds", "TimeOutSeconds"), "a Task state has no field TimeOutSeconds"
    ),
    "a state that nothing leads to": workflow(
        "WaitForOther", lambda one: one.update(Next="Notify"), "no state leads to it"
    ),
    "a state that is not there": workflow("Status", text('"Owner"', '"Owners"'), "goes on to Owners"),
    "an error of the SDK integration": workflow(
        "MoveCurrent", text("DynamoDB.Conditional", "DynamoDb.Conditional"), "cannot fail with DynamoDb.Conditional"
    ),
    "an error that the call does not have": workflow(
        "Notify",
        lambda task: task["Retry"].insert(0, {"ErrorEquals": ["SNS.ThrottledException", "SNS.TooBusy"]}),
        "Retry[0]: sns:publish cannot fail with SNS.TooBusy",
    ),
    "an error that Step Functions does not have": workflow(
        "Record", text("States.ALL", "States.Timeouts"), "Step Functions has no error States.Timeouts"
    ),
    "States.ALL before another error": workflow(
        "PutVersion", lambda task: task["Retry"].reverse(), "States.ALL has to be alone, and the last"
    ),
    "a path that is taken for text": workflow(
        "Notify", text('"Subject.$"', '"Subject"'), "Subject is the text $.detail.summary: name it Subject.$"
    ),
    "a path that does not parse": workflow("Notify", text("$.detail.summary", "$.detail..[summary"), "is not a path"),
    "a context object that is not there": workflow(
        "MarkNotified", text("$$.State", "$$.Step"), "the context object has"
    ),
    "a function that Step Functions does not have": workflow(
        "Notify", text("States.JsonToString", "States.JsonToText"), "is not an intrinsic function"
    ),
    "a format with too few values": workflow(
        "PutVersion", text("'version#{}'", "'version#{}#{}'"), "has 2 places for 1 values"
    ),
    "a comparison that the language does not have": workflow(
        "NotifiedByOther", text("IsPresent", "IsThere"), "there is no comparison IsThere"
    ),
    "a jitter that the language does not have": workflow(
        "ReadVersion", text('"FULL"', '"HALF"'), "JitterStrategy is HALF"
    ),
    # Requests of the API
    "a member that the operation does not have": api(
        "get", "/images", in_template("ScanIndexForward", "ScanForward"), "ScanForward: QueryInput has no such member"
    ),
    "a template that makes no JSON": api(
        "get", "/images/{id}", in_template('"ConsistentRead": true', '"ConsistentRead": true,'), "does not make JSON"
    ),
    "a template whose condition does not end": api(
        "get", "/images/{id}/versions", in_template("#else", "##"), "the request template does not make JSON"
    ),
    "a value that is not in the template's expression": api(
        "get", "/images/{id}/versions", in_template("image_id = :id", "image_id = :image"), "define :image, remove :id"
    ),
    "a query by an attribute that is not in the index": api(
        "get",
        "/images",
        in_template('"listed_owner = :owner"', '"image_id = :owner"'),
        "image_id is not one of the key's",
    ),
    "an index that the table does not have": api(
        "get", "/images", in_template('"by_owner"', '"by_owners"'), "has no index by_owners"
    ),
    "a page that begins at half a key": api(
        "get", "/images", in_template(', "record": {"S": "current"}', ""), "ExclusiveStartKey has"
    ),
    "an operation that the service does not have": api(
        "get", "/images", integration(text("action/Query", "action/QueryItems")), "dynamodb has no operation QueryItems"
    ),
    "a path parameter that nothing fills": api(
        "delete",
        "/images/{id}",
        integration(lambda one: one["requestParameters"].pop("integration.request.path.owner")),
        "nothing is mapped to owner of the path",
    ),
    "a template that fills what the path does not have": api(
        "delete",
        "/images/{id}",
        in_template("requestOverride.path.owner", "requestOverride.path.user"),
        "has no place for user",
    ),
    "a header that S3 does not take": api(
        "post", "/images", integration(text("If-None-Match", "If-Missing")), "PutObject"
    ),
    "a header that the method does not declare": api(
        "post",
        "/images",
        integration(text("header.X-Image-Name", "header.X-Name")),
        "which the method does not declare",
    ),
    "a static value without quotes": api(
        "post", "/images", integration(text("\"'*'\"", '"*"')), "put a static value in single quotes"
    ),
    "an answer that the method does not declare": api(
        "get", "/images/{id}", lambda method: method["responses"].pop("404"), "has the status 404, which the method"
    ),
    "a form without what the action requires": Mistake(
        "shapes",
        "module.orders_api.aws_api_gateway_rest_api.this",
        ["body"],
        replaced("MessageBody=", "Body="),
        "MessageBody is missing, and SendMessage requires it",
        plan="modules/service_api/examples/orders_without_lambda",
    ),
}
