"""Read the limits of properties in the CloudFormation registry from `cfn-lint`.

The package is read as data and not imported. Its schemas are those of AWS's registry, with corrections of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zipfile import ZipFile

FOLDER = "cfnlint/data/schemas"
REGION = "us-east-1"  # has every type; a region that has a type has it with the same limits

ARRAY_LIMITS = ("maxItems", "minItems")
VALUE_LIMITS = ("enum", "maxLength", "maximum", "minLength", "minimum", "pattern")

Limits = dict[str, Any]
Schema = Mapping[str, Any]


def read_limits(types: set[str], wheel: ZipFile) -> dict[str, dict[str, Limits]]:
    """Return the limits of each property of each type, by the property's path.

    An array's items are on the array's own path, as an array of blocks is in Terraform. A property without a limit is
    there too, with an empty dictionary.

    Raises:
        KeyError: The registry does not have the type.
    """
    hashes = json.loads(wheel.read(f"{FOLDER}/providers/{REGION}.json"))
    limits = {}
    for name in sorted(types):
        schema = json.loads(wheel.read(f"{FOLDER}/resources/{hashes[name]}.json"))
        found: dict[str, Limits] = {}
        for path, one in _properties(schema, schema, ()):
            found[path] = found.get(path, {}) | one
        limits[name] = found
    return limits


def _properties(part: Schema, root: Schema, within: tuple[str, ...]) -> Iterator[tuple[str, Limits]]:
    """Yield the properties of a part of a schema.

    Args:
        part: The part.
        root: The schema, with the definitions that references lead to.
        within: The definitions that the part is in, because some contain themselves.
    """
    for name, found in sorted(part.get("properties", {}).items()):
        one = found
        limits: Limits = {}
        inside = within
        while True:
            inside += tuple(_references(one, root))
            one = _resolved(one, root)
            limits |= _limits(one)
            if not isinstance(one.get("items"), dict):
                break
            one = one["items"]
        yield name, limits
        if len(set(inside)) == len(inside):
            for path, inner in _properties(one, root, inside):
                yield f"{name}.{path}", inner


def _references(part: Schema, root: Schema) -> Iterator[str]:
    while reference := part.get("$ref"):
        yield reference
        part = _at(reference, root)


def _resolved(part: Schema, root: Schema) -> Schema:
    while reference := part.get("$ref"):
        part = {**_at(reference, root), **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def _at(reference: str, root: Schema) -> Schema:
    found = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _limits(part: Schema) -> Limits:
    # Some arrays have `maxLength` where `maxItems` is meant.
    keys = ARRAY_LIMITS if "items" in part else VALUE_LIMITS
    return {key: part[key] for key in keys if key in part}
