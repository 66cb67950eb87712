"""Grants that roles need, derived from the functions' code, the workflow's Tasks, the API, and their callers."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name

from scripts import ROOT
from scripts.aws_checks.authorization import action
from scripts.aws_checks.states_language import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scripts.terraform.plans import Plan, Resource
    from scripts.terraform.policies import Statement

# Operations whose action has another name.
# S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
# Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
OPERATIONS = {
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:GetObject": ("s3:GetObject",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
}

# Methods of a client that are not operations, and the operation that they sign.
SIGNING = {"generate_presigned_post": "PutObject"}

# Operations to which S3 answers 404 for a missing key only if the caller may list the bucket:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
FOUND_BY_LISTING = {"s3:GetObject", "s3:HeadObject"}

# Methods of S3 objects by HTTP.
S3_METHODS = {"DELETE": "s3:DeleteObject", "GET": "s3:GetObject", "PUT": "s3:PutObject"}

# The service of an ARN or of a client, as policies write it.
PREFIXES = {"stepfunctions": "states"}

# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)

# https://docs.aws.amazon.com/xray/latest/devguide/security_iam_id-based-policy-examples.html
TRACE = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")

# https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
TRACE_WORKFLOW = ("xray:GetSamplingRules", "xray:GetSamplingTargets", *TRACE)

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
POLL = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")

# The managed policy that Lambda requires for a VPC:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
NETWORK = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)

# The managed policy AmazonAPIGatewayPushToCloudWatchLogs:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
ACCOUNT_LOGS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)


def _repairs(plan: Plan) -> bool:
    """Return True if a schedule asks for repairs."""
    return any(
        json.loads(schedule.value("target", 0, "input") or "{}").get("repair")
        for schedule in plan.every("aws_scheduler_schedule")
    )


# Files of a function that are in use only with a certain configuration.
ONLY_IF = {"reconcile/repair.py": _repairs}


@dataclass(frozen=True, slots=True)
class Need:
    """A grant that a role needs.

    Attributes:
        action: Action that it must be allowed.
        resource: ARN that the action is on, with wildcards for parts that the caller chooses.
        why: Caller of the action.
        optional: AWS documents the grant, but nothing fails without it.
    """

    action: str
    resource: str
    why: str
    optional: bool = False


def needs(plan: Plan) -> dict[str, list[Need]]:
    """Return the needs of a plan's roles by the ARN of the role; those of the key are in `aws_checks.kms`."""
    found: dict[str, list[Need]] = {}
    for role, need in _all(plan):
        found.setdefault(role, []).append(need)
    return found


def missing(needed: Sequence[Need], granted: Sequence[Statement]) -> Iterator[str]:
    """Yield the needs that no statement allows."""
    for need in needed:
        if not need.optional and not any(one.allow and one.covers(need.action, need.resource) for one in granted):
            yield f"{need.why} needs {need.action} on {need.resource}, which no policy allows: add it."


def _all(plan: Plan) -> Iterator[tuple[str, Need]]:
    for function in plan.every("aws_lambda_function"):
        yield from ((function.value("role"), need) for need in _of_function(plan, function))
    for machine in plan.every("aws_sfn_state_machine"):
        yield from ((machine.value("role_arn"), need) for need in _of_machine(plan, machine))
    for api in plan.every("aws_api_gateway_rest_api"):
        yield from _of_api(plan, api)
    for target in plan.every("aws_cloudwatch_event_target"):
        if target.value("role_arn"):
            yield target.value("role_arn"), _call(target.value("arn"), target.address)
    for schedule in plan.every("aws_scheduler_schedule"):
        yield from ((schedule.value("target", 0, "role_arn"), need) for need in _of_schedule(schedule))
    for account in plan.every("aws_api_gateway_account"):
        for one in ACCOUNT_LOGS:
            # The log groups of any API, which are not in the plan.
            yield account.value("cloudwatch_role_arn"), Need(one, f"arn:*:logs:{plan.region}:*", account.address)


def _of_schedule(schedule: Resource) -> Iterator[Need]:
    yield _call(schedule.value("target", 0, "arn"), schedule.address)
    if dlq := schedule.value("target", 0, "dead_letter_config", 0, "arn"):
        yield Need("sqs:SendMessage", dlq, f"the DLQ of {schedule.address}")


# Actions of services on their targets, with a role or in their own name:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
CALLS = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}


def _call(arn: str, why: str) -> Need:
    return Need(CALLS[arn.split(":")[2]], arn, why)


def _of_function(plan: Plan, function: Resource) -> Iterator[Need]:
    name, arn, why = function.value("function_name"), function.value("arn"), function.address
    group = function.value("logging_config", 0, "log_group") or f"/aws/lambda/{name}"
    for one in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield Need(one, f"arn:*:logs:*:*:log-group:{group}:*", f"{why} logs")
    if function.value("tracing_config", 0, "mode") == "Active":
        yield from (Need(one, "*", f"{why} is traced") for one in TRACE)
    if function.value("vpc_config", 0, "subnet_ids"):
        yield from (Need(one, "*", f"{why} is in a VPC") for one in NETWORK)
    yield from _of_events(plan, {arn, name})
    slug = function.value("handler").split(".")[0]
    folders = [ROOT / "lambdas" / slug, *ROOT.glob(f"terraform/modules/*/examples/*/{slug}")]
    code = next((folder for folder in folders if folder.is_dir()), None)
    if code:
        yield from _of_code(plan, code)
    else:
        yield Need("*", "*", f"the code of {why}, which is not in this repository", optional=True)


def _of_events(plan: Plan, names: set[str]) -> Iterator[Need]:
    """Yield the needs of a function's role for fetching its events and for reporting failures."""
    for source in plan.every("aws_lambda_event_source_mapping"):
        if source.value("function_name") in names:
            queue = source.value("event_source_arn")
            yield from (Need(one, queue, source.address) for one in POLL)
            # Not in that list, but AWS's CDK grants it to consumers (`grantConsumeMessages`).
            yield Need("sqs:ChangeMessageVisibility", queue, source.address, optional=True)
    for settings in plan.every("aws_lambda_function_event_invoke_config"):
        failure = settings.value("destination_config", 0, "on_failure", 0, "destination")
        if settings.value("function_name") in names and failure:
            yield _call(failure, settings.address)


def _of_code(plan: Plan, folder: Path) -> Iterator[Need]:
    for operation, file in sorted(operations(folder)):
        if file not in ONLY_IF or ONLY_IF[file](plan):
            for one, optional in _actions_of(operation):
                yield Need(one, "*", f"{operation} in {file}", optional)


def _actions_of(operation: str) -> Iterator[tuple[str, bool]]:
    """Yield the actions that an operation needs, each with True if it is optional."""
    for one in OPERATIONS.get(operation, (operation,)):
        yield one, False
        if one == "s3:GetObject":
            yield "s3:GetObjectVersion", True  # of a version that is named
    if operation in FOUND_BY_LISTING:
        yield "s3:ListBucket", True


@cache
def operations(folder: Path) -> frozenset[tuple[str, str]]:
    """Return the operations that a function's code calls, such as `s3:GetObject`, and the file of each.

    A client is recognized by the name of its variable or attribute, which is the service's, such as `self._s3` or `s3`.
    """
    session = botocore.session.get_session()
    trees = {
        file.relative_to(folder.parent).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(folder.rglob("*.py"))
    }
    clients = {
        node.args[0].value
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }
    found = set()
    for service in clients:
        names = {xform_name(one): one for one in session.get_service_model(service).operation_names} | SIGNING
        for file, tree in trees.items():
            for node in ast.walk(tree):
                called = _method(node, service)
                if called in names:
                    found.add((f"{PREFIXES.get(service, service)}:{names[called]}", file))
    return frozenset(found)


def _method(node: ast.AST, service: str) -> str | None:
    """Return the method of a service's client that an expression names, directly or by its paginator."""
    if not isinstance(node, (ast.Attribute, ast.Call)):
        return None
    named = node.func if isinstance(node, ast.Call) else node
    if not isinstance(named, ast.Attribute) or _last(named.value).strip("_") != service:
        return None
    if named.attr in {"get_paginator", "get_waiter"} and isinstance(node, ast.Call):
        argument = node.args[0]
        return str(argument.value) if isinstance(argument, ast.Constant) else None
    return named.attr


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _of_machine(plan: Plan, machine: Resource) -> Iterator[Need]:
    why = machine.address
    if machine.value("logging_configuration", 0, "level") not in {None, "OFF"}:
        yield from (Need(one, "*", f"{why} logs") for one in LOG_DELIVERY)
    if machine.value("tracing_configuration", 0, "enabled"):
        yield from (Need(one, "*", f"{why} is traced") for one in TRACE_WORKFLOW)
    for name, task in tasks(json.loads(machine.value("definition"))):
        match = re.fullmatch(r"arn:[\w-]+:states:::(?:aws-sdk:)?(\w+):(\w+)(?:\.\w+)?", task["Resource"])
        if not match:
            yield Need("lambda:InvokeFunction", task["Resource"], f"{why}: {name}")
            continue
        service = PREFIXES.get(match[1], match[1])
        operation = f"{service}:{match[2][0].upper()}{match[2][1:]}"
        for one in OPERATIONS.get(operation, (operation,)):
            resource = _named(plan, task.get("Parameters") or task.get("Arguments") or {})
            yield Need(one, resource, f"{why}: {name}")


def _named(plan: Plan, parameters: dict[str, Any]) -> str:
    """Return the ARN of the resource that a Task's parameters name, `*` if the input names it."""
    if "TableName" in parameters:
        return _table(plan, parameters["TableName"], parameters.get("IndexName"))
    for key in ("TopicArn", "StateMachineArn", "FunctionName"):
        if key in parameters:
            return str(parameters[key])
    if url := parameters.get("QueueUrl"):
        return next(str(one.value("arn")) for one in plan.every("aws_sqs_queue") if one.value("url") == url)
    return "*"


def _table(plan: Plan, name: str, index: str | None = None) -> str:
    arns = [table.value("arn") for table in plan.every("aws_dynamodb_table") if table.value("name") == name]
    arn = arns[0] if arns else f"arn:*:dynamodb:{plan.region}:*:table/{name}"
    return f"{arn}/index/{index}" if index else arn


def _of_api(plan: Plan, api: Resource) -> Iterator[tuple[str, Need]]:
    body = json.loads(api.value("body") or "{}")
    for path, methods in body.get("paths", {}).items():
        for method, operation in methods.items():
            integration = operation.get("x-amazon-apigateway-integration") if isinstance(operation, dict) else None
            if integration and integration.get("credentials"):
                for need in _of_integration(plan, f"{api.address}: {method.upper()} {path}", integration):
                    yield integration["credentials"], need
    for scheme in body.get("components", {}).get("securitySchemes", {}).values():
        authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
        if authorizer.get("authorizerCredentials"):
            function = re.search(r"/functions/(.*)/invocations", authorizer["authorizerUri"])
            yield (
                authorizer["authorizerCredentials"],
                Need("lambda:InvokeFunction", function[1] if function else "*", f"{api.address}: the authorizer"),
            )


def _of_integration(plan: Plan, why: str, integration: dict[str, Any]) -> Iterator[Need]:
    uri, said = integration["uri"], json.dumps(integration)
    service, _, rest = uri.split(":", 4)[4].partition(":")
    if service == "s3":
        for bucket in plan.every("aws_s3_bucket"):
            if re.search(rf"(?<![\w.-]){re.escape(bucket.value('bucket'))}(?![\w.-])", said):
                key = rest.partition(f"{bucket.value('bucket')}/")[2] or "*"
                yield Need(S3_METHODS[integration["httpMethod"]], f"{bucket.value('arn')}/{key}", why)
    elif service == "lambda":
        yield Need("lambda:InvokeFunction", rest.split("/functions/")[1].removesuffix("/invocations"), why)
    elif service == "dynamodb":
        for template in (integration.get("requestTemplates") or {}).values():
            # A template holds several requests where it decides between them.
            for request in re.split(r'(?="TableName")', template)[1:]:
                name = re.search(r'"TableName":\s*"([^"]+)"', request)
                index = re.search(r'"IndexName":\s*"([^"]+)"', request)
                if name:
                    arn = _table(plan, name[1], index[1] if index else None)
                    yield Need(f"dynamodb:{rest.removeprefix('action/')}", arn, why)
    else:
        operation = f"{service}:{rest.removeprefix('action/')}"
        yield Need(operation if action(operation) else CALLS[service], "*", why)
