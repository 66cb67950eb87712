"""Check that requests of workflows and API integrations have the shapes in AWS's service models.

A workflow's tasks and an API's mapping templates are requests that no SDK validates: AWS refuses them at run time.
Members, types, ranges and enumerations are those of botocore's models.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from scripts.aws_checks import expressions, states_language
from scripts.aws_checks.findings import Finding
from scripts.aws_checks.mapping_templates import PLACEHOLDER, TemplateError, assignments, expand
from scripts.aws_checks.requests import Unknown, mistakes, operation, service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from botocore.model import OperationModel, Shape

    from scripts.terraform.plans import Plan

_EXECUTED_BY = {"states": "stepfunctions"}  # botocore's name, if it differs from the integration's
_REQUEST = re.compile(r"integration\.request\.(header|path|querystring)\.(.+)")
_FROM_CALL = re.compile(r"method\.request\.(header|multivalueheader|path|querystring|multivaluequerystring)\.(.+)")
_RESPONSE = re.compile(r"method\.response\.header\.(.+)")
# Headers that S3 takes with any request, though they are in no operation's model.
_ANY_HEADER = {"date", "expect", "host"}


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield the mistakes for which AWS would refuse workflows, their requests, and requests of APIs."""
    for plan in plans:
        tables = {one.values["name"]: one.values for one in plan.every("aws_dynamodb_table")}
        for machine in plan.every("aws_sfn_state_machine"):
            for state, what in _workflow(json.loads(machine.values["definition"]), tables):
                yield Finding(plan.name, f"{machine.address}, state {state}" if state else machine.address, what)
        for api in plan.every("aws_api_gateway_rest_api"):
            for route, what in _api(json.loads(api.values["body"]), tables):
                yield Finding(plan.name, f"{api.address}, {route}", what)


# Workflows


def _workflow(definition: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from states_language.mistakes(definition)
    for name, task in states_language.tasks(definition):
        known = states_language.integration(task.get("Resource", ""))
        if known is None or known[0] not in states_language.INTEGRATIONS:
            continue
        botocore_name, actions = states_language.INTEGRATIONS[known[0]]
        model = operation(botocore_name, _pascal(known[1]))
        if model is None or known[1] not in actions:
            continue
        request = _evaluated(task.get("Parameters", {}), actions[known[1]])
        yield from ((name, what) for what in mistakes(model.input_shape, request, spelled=_pascal))
        if botocore_name == "dynamodb":
            yield from ((name, what) for what in _dynamodb(request, tables))
            found = {
                field.removesuffix(".$"): _alternatives(definition, expression)
                for field, expression in task["Parameters"].items()
                if field.removesuffix(".$") in expressions.EXPRESSIONS and field.endswith(".$")
            }
            if missing := [field for field, texts in found.items() if not texts]:
                yield name, f"{', '.join(missing)} cannot be evaluated: set its possible values in Pass states"
            else:
                yield from ((name, what) for what in expressions.mistakes(request, found))


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _evaluated(template: Any, free: set[str]) -> Any:  # noqa: ANN401 - JSON
    """Return a payload template as the request that it becomes.

    Args:
        template: The template, or a part of it.
        free: Members that may have any shape.
    """
    if isinstance(template, list):
        return [_evaluated(inner, free) for inner in template]
    if not isinstance(template, dict):
        return template
    request: dict[str, Any] = {}
    for name, value in template.items():
        plain = name.removesuffix(".$")
        if plain in free:
            request[plain] = Unknown()
        elif plain != name:
            request[plain] = Unknown(is_text=str(value).startswith(("States.Format", "States.JsonToString")))
        else:
            request[plain] = _evaluated(value, free)
    return request


def _alternatives(definition: Mapping[str, Any], expression: str) -> list[str]:
    """Return the possible texts of an expression, from the values that Pass states set; empty if they are unknown."""
    call = re.fullmatch(r"States\.Format\((.*)\)", expression, re.DOTALL)
    arguments = states_language.split(call[1]) if call else ["'{}'", expression]
    if not arguments:
        return []
    texts = [arguments[0].strip("'")]
    for argument in arguments[1:]:
        path = re.fullmatch(r"\$\.(\w+)\.(\w+)", argument)
        values = _put_there(definition, path[1], path[2]) if path else []
        texts = [text.replace("{}", value, 1) for text in texts for value in values]
    return texts


def _put_there(definition: Mapping[str, Any], place: str, field: str) -> list[str]:
    return [
        put[field]
        for machine in states_language.machines(definition)
        for state in machine["States"].values()
        if state["Type"] == "Pass" and state.get("ResultPath") == f"$.{place}"
        if isinstance((put := state.get("Result") or state.get("Parameters") or {}).get(field), str)
    ]


def _dynamodb(request: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield mismatches with the table that a request names, if the plan has it."""
    name = request.get("TableName")
    if isinstance(name, str) and name in tables:
        yield from expressions.keys(request, tables[name])


# APIs


def _api(document: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            if isinstance(call, dict) and "x-amazon-apigateway-integration" in call:
                declared = [*methods.get("parameters", ()), *call.get("parameters", ())]
                for what in _integration(path, call, declared, tables):
                    yield f"{method.upper()} {path}", what


def _integration(
    path: str, call: Mapping[str, Any], declared: Sequence[Mapping[str, Any]], tables: Mapping[str, Any]
) -> Iterator[str]:
    integration = call["x-amazon-apigateway-integration"]
    parameters = integration.get("requestParameters", {})
    yield from _mapped(path, parameters, declared)
    yield from _answered(call, integration)
    uri = re.fullmatch(r"arn:[a-z-]+:apigateway:[a-z0-9-]+:([a-z0-9-]+):(action|path)/(.+)", integration.get("uri", ""))
    if uri is None:
        return
    templates = integration.get("requestTemplates", {})
    yield from _path_parameters(uri[3], parameters, templates)
    name = _EXECUTED_BY.get(uri[1], uri[1])
    if uri[2] == "action":
        model = operation(name, uri[3])
        if model is None:
            yield f"{uri[1]} has no operation {uri[3]}"
            return
        if integration["httpMethod"] != "POST":
            yield f"{uri[3]} is sent by {integration['httpMethod']}: actions are sent by POST"
        for template in templates.values():
            yield from _json_requests(model, template, tables)
    elif name in {"s3", "lambda"}:
        yield from _rest_request(name, integration["httpMethod"], uri[3], parameters)
    else:
        for template in templates.values():
            yield from _form_requests(name, template)


def _mapped(path: str, parameters: Mapping[str, str], declared: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield parameters whose source or target API Gateway does not know."""
    known = {(one.get("in", ""), one.get("name", "").lower()) for one in declared}
    known |= {("path", name.lower()) for name in re.findall(r"\{(\w+)\+?\}", path)}
    for target, source in parameters.items():
        if not _REQUEST.fullmatch(target):
            yield f"{target} is not a parameter of an integration's request"
        if call := _FROM_CALL.fullmatch(source):
            kind = {"querystring": "query"}.get(call[1].removeprefix("multivalue"), call[1].removeprefix("multivalue"))
            if (kind, call[2].lower()) not in known:
                yield f"{target} is mapped from {source}, which the method does not declare: add it to `parameters`"
        elif not re.fullmatch(r"'[^']*'|context\..+|stageVariables\..+|method\.request\.body(\..+)?", source):
            yield f"{target} is mapped from {source}, which is not a source: put a static value in single quotes"


def _answered(call: Mapping[str, Any], integration: Mapping[str, Any]) -> Iterator[str]:
    """Yield answers whose status or headers the method does not declare."""
    for pattern, answer in integration.get("responses", {}).items():
        declared = call.get("responses", {}).get(answer["statusCode"])
        if declared is None:
            yield f"the answer to {pattern} has the status {answer['statusCode']}, which the method does not declare"
            continue
        headers = {name.lower() for name in declared.get("headers", {})}
        for target in answer.get("responseParameters", {}):
            header = _RESPONSE.fullmatch(target)
            if header is None or header[1].lower() not in headers:
                yield f"the answer {answer['statusCode']} sets {target}, which the method does not declare"


def _path_parameters(uri: str, parameters: Mapping[str, str], templates: Mapping[str, str]) -> Iterator[str]:
    """Yield places in an integration's path that nothing fills, and values without a place."""
    places = set(re.findall(r"\{(\w+)\}", uri))
    filled = {match[2] for name in parameters if (match := _REQUEST.fullmatch(name)) and match[1] == "path"}
    overridden = set()
    for template in templates.values():
        try:
            names = [name for name, _ in assignments(template)]
        except TemplateError:
            continue  # `_json_requests` reports it
        overridden |= {
            found[1] for name in names if (found := re.fullmatch(r"context\.requestOverride\.path\.(\w+)", name))
        }
    if places - filled:
        yield f"nothing is mapped to {', '.join(sorted(places - filled))} of the path {uri}"
    if (filled | overridden) - places:
        yield f"the path {uri} has no place for {', '.join(sorted((filled | overridden) - places))}"


def _json_requests(model: OperationModel, template: str, tables: Mapping[str, Any]) -> Iterator[str]:
    try:
        texts = expand(template)
    except TemplateError as error:
        yield f"the request template: {error}"
        return
    for text in texts:
        # A reference outside quotes can be anything.
        quoted = re.sub(rf'("(?:[^"\\]|\\.)*")|{PLACEHOLDER}', lambda match: match[1] or f'"{PLACEHOLDER}"', text)
        try:
            request = json.loads(quoted, object_pairs_hook=_object)
        except ValueError as error:
            yield f"the request template does not make JSON ({error}): {text}"
            continue
        yield from mistakes(model.input_shape, request)
        if model.service_model.service_name == "dynamodb":
            yield from expressions.mistakes(request)
            yield from _dynamodb(request, tables)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of a template's request; values with a reference are unknown."""
    return {name: _known(value) for name, value in pairs}


def _known(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_known(inner) for inner in value]
    if value == PLACEHOLDER:
        return Unknown()
    return Unknown(is_text=True) if isinstance(value, str) and PLACEHOLDER in value else value


def _form_requests(name: str, template: str) -> Iterator[str]:
    """Yield mistakes in a request of the query protocol, whose lists and maps are numbered: `Name.1.Value`."""
    try:
        texts = expand(template)
    except TemplateError as error:
        yield f"the request template: {error}"
        return
    for text in texts:
        fields = dict(parse_qsl(text.strip(), keep_blank_values=True))
        model = operation(name, fields.pop("Action", ""))
        if model is None:
            yield f"{name} has no such Action: {text}"
            continue
        members = _members(model)
        for field in fields:
            first, *deeper = field.split(".")
            if first not in members and not (deeper and f"{first}s" in members):
                yield f"{model.name} has no member {field}; it has {', '.join(members)}"
        for required in model.input_shape.required_members if model.input_shape else ():
            if required not in fields and required != "QueueUrl":  # which the path says
                yield f"{required} is missing, and {model.name} requires it"


def _members(model: OperationModel) -> Mapping[str, Shape]:
    return model.input_shape.members if model.input_shape else {}


def _rest_request(name: str, method: str, uri: str, parameters: Mapping[str, str]) -> Iterator[str]:
    """Yield mistakes in a request whose method and path determine its operation."""
    pattern = _rest_path(uri)
    models = [
        model
        for one in service(name).operation_names
        if (model := service(name).operation_model(one)).http["method"] == method
        and len(_rest_path(model.http["requestUri"])) == len(pattern)
        and "?" not in model.http["requestUri"]
    ]
    if not models:
        yield f"{name} has no operation that is sent by {method} to {uri}"
        return
    headers = {
        member.serialization.get("name", "").lower()
        for model in models
        for member in _members(model).values()
        if member.serialization.get("location") in {"header", "headers"}
    }
    prefixes = tuple(one for one in headers if one.endswith("-"))
    for target in parameters:
        found = _REQUEST.fullmatch(target)
        header = found[2].lower() if found and found[1] == "header" else ""
        if header and header not in headers | _ANY_HEADER and not header.startswith(prefixes):
            yield f"{target}: {', '.join(model.name for model in models)} take no such header"


def _rest_path(uri: str) -> list[str]:
    """Return the segments of a path; a key of S3's is one, with the slashes in it."""
    segments = uri.strip("/").split("/")
    return segments if "functions" in segments else segments[:2]
