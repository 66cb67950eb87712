"""Checks of `aws …` commands against botocore's service models: names, options, values and what a query reads."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import botocore.session
import jmespath
from botocore import xform_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from botocore.model import OperationModel

# Commands of the AWS command line that are not operations of a service.
OWN = {"configure": {"list-profiles", "sso"}, "s3": {"cp", "ls", "rm", "sync"}, "sso": {"login"}}

# Options of every command, with their values if only some are allowed:
# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
GLOBAL: dict[str, set[str] | None] = {
    "cli-binary-format": {"base64", "raw-in-base64-out"},
    "cli-input-json": None,
    "endpoint-url": None,
    "no-cli-pager": set(),
    "output": {"json", "off", "table", "text", "yaml", "yaml-stream"},
    "profile": None,
    "query": None,
    "region": None,
}

# Placeholders that a shell or a reader fills in.
OPEN = re.compile(r"[$<…]")

# A command within a command: "$(aws …)".
NESTED = re.compile(r"\$\((aws [^()]*)\)")

SESSION = botocore.session.get_session()


def with_nested(command: str) -> Iterator[str]:
    """Yield a command and the commands whose output its values are."""
    yield command
    for inner in NESTED.findall(command):
        yield from with_nested(inner)


def check_aws(arguments: Sequence[str], *, whole: bool = True) -> None:
    """Fail unless AWS has the operation and takes the options with these values.

    Args:
        arguments: The words of the command after `aws`.
        whole: The command is to be given as it is, so it needs every required option.
    """
    service, name, *rest = arguments
    if name in OWN.get(service, ()):
        return
    service = {"s3api": "s3"}.get(service, service)
    assert service in SESSION.get_available_services(), f"AWS has no service {service}"
    model = SESSION.get_service_model(service)
    if name == "wait":
        waiters = SESSION.get_waiter_model(service)
        waiter = {xform_name(one, "-"): one for one in waiters.waiter_names}[rest.pop(0)]
        operation = waiters.get_waiter(waiter).operation
    else:
        operations = {xform_name(one, "-"): one for one in model.operation_names}
        assert name in operations, f"aws {service} has no operation {name}"
        operation = operations[name]
    _check_options(f"aws {service} {name}", model.operation_model(operation), rest, whole=whole)


def _check_options(command: str, operation: OperationModel, words: Sequence[str], *, whole: bool) -> None:
    shape = operation.input_shape
    members = {xform_name(one, "-"): member for one, member in (shape.members if shape else {}).items()}
    flags = {f"no-{one}" for one, member in members.items() if member.type_name == "boolean"}
    if operation.has_streaming_output and whole:  # the command line's own argument: where the answer is written
        *words, file = words
        assert not file.startswith("--"), f"{command} needs a file for its answer"
    given = dict(_options(words))
    unknown = given.keys() - members.keys() - flags - GLOBAL.keys()
    assert not unknown, f"{command} takes no {unknown}"
    needed = {xform_name(member, "-") for member in (shape.required_members if shape else ())}
    assert not whole or needed <= given.keys(), f"{command} needs {needed - given.keys()}"
    for option, values in given.items():
        if whole and not any(OPEN.search(value) for value in values):
            _check_values(f"{command} --{option}", option, values, members, operation)


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each option with its values."""
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            name, *value = word.removeprefix("--").split("=", 1)
            found.append((name, value))
        else:
            assert found, f"`{word}` belongs to no option"
            found[-1][1].append(word)
    yield from found


def _check_values(
    where: str, option: str, values: list[str], members: dict[str, Any], operation: OperationModel
) -> None:
    if option in GLOBAL:
        choices = GLOBAL[option]
        if choices is not None:
            assert set(values) <= choices, f"{where} takes one of {sorted(choices)}, not {values}"
        if option == "query":
            _check_query(where, values[0], operation)
    elif option in members:
        shape = members[option]
        _check(where, shape, _parse(shape, values))
        if values and re.match(r"alias/|arn:.*:alias/", values[0]):
            # KMS says of each KeyId what it takes: "the key ID or key ARN", or "alias name" too.
            assert re.search(r"alias", shape.documentation, re.IGNORECASE), f"{where} takes no alias"


def _check_query(where: str, query: str, operation: OperationModel) -> None:
    """Fail unless the query's first field, and what follows it by dots, is in the answer."""
    jmespath.compile(query)
    shape: Any = operation.output_shape
    for field in (re.match(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", query) or [""])[0].split("."):
        if field and getattr(shape, "type_name", None) == "structure":
            assert field in shape.members, f"{where}: the answer has no {field}, only {sorted(shape.members)}"
            shape = shape.members[field]


def _parse(shape: Any, values: list[str]) -> Any:
    """Read an option's values as the command line does: JSON, or its shorthand `key=value,key=value`."""
    if shape.type_name in {"structure", "map"} and values and not values[0].startswith("{"):
        pairs = [pair.split("=", 1) for value in values for pair in re.split(r",(?=\w+=)", value)]
        assert all(len(pair) == 2 for pair in pairs), f"{values} is neither JSON nor key=value"
        return dict(pairs)
    if shape.type_name in {"structure", "map"} or (shape.type_name == "list" and values[:1] and values[0][:1] == "["):
        return json.loads(values[0])
    if shape.type_name == "list":
        return [_parse(shape.member, [value]) for value in values]
    if shape.type_name == "boolean":
        assert not values, f"{values}: a flag takes no value"
        return True
    assert len(values) == 1, f"one value is taken, not {values}"
    return values[0]


def _check(where: str, shape: Any, value: Any) -> None:
    """Fail unless a value fits its shape: type, pattern, choice, length and range."""
    match shape.type_name:
        case "structure":
            assert value.keys() <= shape.members.keys(), f"{where} takes no {value.keys() - shape.members.keys()}"
            missing = set(shape.required_members) - value.keys()
            assert not missing, f"{where} needs {missing}"
            for name, one in value.items():
                _check(f"{where} {name}", shape.members[name], one)
        case "map":
            for name, one in value.items():
                _check(where, shape.key, name)
                _check(f"{where} {name}", shape.value, one)
        case "list":
            _check_size(where, shape, len(value))
            for one in value:
                _check(where, shape.member, one)
        case "integer" | "long" | "float" | "double":
            _check_size(where, shape, float(value))
        case "timestamp":
            datetime.fromisoformat(value)
        case "string":
            assert isinstance(value, str), f"{where} takes a text, not {value!r}"
            _check_size(where, shape, len(value))
            assert not shape.enum or value in shape.enum, f"{where} takes one of {shape.enum}, not {value}"
            pattern = shape.metadata.get("pattern")
            assert not pattern or re.fullmatch(pattern, value), f"{where}: {value} does not match {pattern}"


def _check_size(where: str, shape: Any, size: float) -> None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", float("inf"))
    assert least <= size <= most, f"{where} takes {least} to {most}, not {size}"
