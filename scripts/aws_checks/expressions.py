"""Expressions of DynamoDB requests: syntax, placeholders and reserved words.

The grammar is that of moto's parsers. Its list of reserved words is AWS's, word for word:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from scripts.aws_checks.requests import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_WORDS = {"add", "and", "between", "delete", "in", "not", "or", "remove", "set"}
_FUNCTIONS = {
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "size",
}


def mistakes(request: Mapping[str, Any], alternatives: Mapping[str, Sequence[str]] | None = None) -> Iterator[str]:
    """Yield the mistakes for which DynamoDB would refuse the expressions of a request.

    Args:
        request: The request, with `Unknown` for what is not known yet.
        alternatives: Possible texts of each expression that is not literal.
    """
    given = {name: [request[name]] for name in EXPRESSIONS if isinstance(request.get(name), str)} | dict(
        alternatives or {}
    )
    names, values = _placeholders(request, "Names"), _placeholders(request, "Values")
    for chosen in itertools.product(*given.values()):
        expressions = dict(zip(given, chosen, strict=True))
        text = " ".join(chosen)
        for what, used, defined in (
            ("ExpressionAttributeNames", set(re.findall(r"#\w+", text)), names),
            ("ExpressionAttributeValues", set(re.findall(r":\w+", text)), values),
        ):
            if used != defined:
                yield (
                    f"{what} defines {_list(defined)}, and the expressions use {_list(used)}: "
                    f"define {_list(used - defined)}, remove {_list(defined - used)}"
                )
        for name, expression in expressions.items():
            yield from (f"{name}: {what}" for what in _words(expression))
            yield from (f"{name}: {what}" for what in _grammar(name, expression))


def _placeholders(request: Mapping[str, Any], what: str) -> set[str]:
    return set(request.get(f"ExpressionAttribute{what}", {}))


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _words(expression: str) -> Iterator[str]:
    """Yield the reserved words among the attributes of an expression."""
    for word, bracket in re.findall(r"(?<![#:\w])([A-Za-z_]\w*)(\s*\()?", expression):
        if word.lower() in _WORDS:
            continue
        if bracket and word not in _FUNCTIONS:
            yield f"DynamoDB has no function {word}"
        elif not bracket and word.upper() in _reserved():
            yield f"{word} is a reserved word: name it by ExpressionAttributeNames"


@cache
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())


def _grammar(name: str, expression: str) -> Iterator[str]:
    attributes = {one: one.removeprefix("#") for one in re.findall(r"#\w+", expression)}
    values = {one: {"S": "x"} for one in re.findall(r":\w+", expression)}
    try:
        if name == "UpdateExpression":
            UpdateExpressionParser.make(expression)
        elif name != "ProjectionExpression":
            get_filter_expression(expression, attributes, values)
        elif not re.fullmatch(r"[#\w.\[\]]+(\s*,\s*[#\w.\[\]]+)*", expression):
            yield f"{expression!r} is not a list of attributes"
    except (MockValidationException, ValueError) as error:
        yield f"{expression!r} does not parse: {error}"


def keys(request: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[str]:
    """Yield mismatches between a request and the keys of a table, a resource `aws_dynamodb_table` of a plan.

    DynamoDB refuses a request without a key. Templates use that to refuse malformed requests.
    """
    own = [table["hash_key"], *filter(None, [table.get("range_key")])]
    types = {one["name"]: one["type"] for one in table["attribute"]}
    indexes = {
        one["name"]: [one["hash_key"], *filter(None, [one.get("range_key")])]
        for one in table.get("global_secondary_index") or ()
    }
    index = request.get("IndexName")
    if index is not None and index not in indexes:
        yield f"IndexName: the table {table['name']} has no index {index}; it has {_list(set(indexes))}"
        return
    if request.get("Key"):
        yield from _key("Key", request["Key"], own, types)
    if "ExclusiveStartKey" in request:
        start = list(dict.fromkeys([*own, *indexes.get(str(index), [])]))
        yield from _key("ExclusiveStartKey", request["ExclusiveStartKey"], start, types)
    condition = request.get("KeyConditionExpression")
    if isinstance(condition, str):
        allowed = indexes[index] if index else own
        named = request.get("ExpressionAttributeNames", {})
        for word in re.findall(r"(?<![:\w])#?[A-Za-z_]\w*", condition):
            attribute = named.get(word, word)
            if attribute.lower() not in _WORDS | _FUNCTIONS and attribute not in allowed:
                yield f"KeyConditionExpression: {attribute} is not one of the key's attributes {', '.join(allowed)}"


def _key(what: str, key: Any, names: Sequence[str], types: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(key, Unknown):
        return
    if set(key) != set(names):
        yield f"{what} has {_list(set(key))}, and the table's key is {', '.join(names)}"
    for name, value in key.items():
        if isinstance(value, dict) and name in types and set(value) != {types[name]}:
            yield f"{what}: {name} is given as {_list(set(value))}, and the table has it as {types[name]}"
