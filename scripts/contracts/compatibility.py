"""Compatibility of JSON Schemas: a consumer of one schema can read every value that another one allows.

The rule: every value that is valid under the new schema must be valid under the old one. A schema is a conjunction of
keywords, so it is enough that each keyword of the old schema is implied by the same keyword of the new one. That only
holds for independent keywords, so the dialect is small: any other keyword (`$ref`, `anyOf`, `additionalProperties`, …)
is refused. In doubt, a change is breaking.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]

ANNOTATIONS = {"$schema", "$comment", "title", "description", "examples", "deprecated"}
TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}


def _unchanged(old: object, _new: object) -> object:
    return old


# A limit may only be tightened: of two values, the new one has to be what this function picks.
LIMITS: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": max,
    "minLength": max,
    "minItems": max,
    "maximum": min,
    "maxLength": min,
    "maxItems": min,
    # It is undecidable in general whether one expression allows less than another.
    "pattern": _unchanged,
    "format": _unchanged,
}


class UnsupportedSchemaError(ValueError):
    """A schema uses what this module cannot compare; the message says where and what."""


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """A change that breaks a consumer of the old schema.

    Attributes:
        path: Field, as in `original.width` or `variants[].key`; empty for the whole value.
        what: The change.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path or '(the whole)'}: {self.what}"


def normalise(schema: object, path: str = "") -> Schema:
    """Return the schema without texts for people: two schemas with equal results allow the same values.

    Raises:
        UnsupportedSchemaError: The schema exceeds the dialect.
    """
    if not isinstance(schema, dict):
        raise UnsupportedSchemaError(f"{path or '(the whole)'}: {schema!r} where an object is expected")
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            result[keyword] = {name: normalise(value[name], join(path, name)) for name in sorted(value)}
        elif keyword == "items":
            result[keyword] = normalise(value, path + "[]")
        elif keyword in {"required", "enum"} or (keyword == "type" and isinstance(value, list)):
            result[keyword] = sorted(value, key=json.dumps)
        elif keyword in {"type", "const", *LIMITS}:
            result[keyword] = value
        elif keyword not in ANNOTATIONS:
            raise UnsupportedSchemaError(
                f"{path or '(the whole)'}: the keyword {keyword!r} is not among those that can be compared "
                "(scripts/contracts/compatibility.py); say it with those, or teach it this one"
            )
    return result


def breaking_changes(old: Schema, new: Schema, path: str = "") -> Iterator[BreakingChange]:
    """Compare two schemas as `normalise` returns them; no result means that nothing breaks."""
    for what in (*_more_types(old, new), *_more_values(old, new), *_looser_limits(old, new)):
        yield BreakingChange(path, what)

    if "items" in old:
        if "items" in new:
            yield from breaking_changes(old["items"], new["items"], path + "[]")
        else:
            yield BreakingChange(path, "what its items are is no longer said")

    properties, now_properties = old.get("properties", {}), new.get("properties", {})
    for name in properties:
        if name in now_properties:
            yield from breaking_changes(properties[name], now_properties[name], join(path, name))
        else:
            yield BreakingChange(join(path, name), "was removed")

    for name in old.get("required", ()):
        removed = name in properties and name not in now_properties  # and reported
        if name not in new.get("required", ()) and not removed:
            yield BreakingChange(join(path, name), "may now be missing")


def join(path: str, name: str) -> str:
    """Return the path of a property."""
    return f"{path}.{name}" if path else name


def _more_types(old: Schema, new: Schema) -> Iterator[str]:
    for kind in sorted(_types(new) - _types(old)):
        yield f"may now be of type {kind}"


def _more_values(old: Schema, new: Schema) -> Iterator[str]:
    allowed, now_allowed = _values(old), _values(new)
    if allowed is None:
        return
    if now_allowed is None:
        yield f"is no longer limited to {', '.join(sorted(allowed))}"
    else:
        for value in sorted(now_allowed - allowed):
            yield f"may now have the value {value}"


def _looser_limits(old: Schema, new: Schema) -> Iterator[str]:
    for keyword in [keyword for keyword in LIMITS if keyword in old]:
        before = old[keyword]
        if keyword not in new:
            yield f"has no {keyword} any more (it was {before})"
        elif LIMITS[keyword](before, new[keyword]) != new[keyword]:
            yield f"{keyword} was {before} and is now {new[keyword]}"


def _types(schema: Schema) -> set[str]:
    kinds = schema.get("type", TYPES)
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    return kinds | {"integer"} if "number" in kinds else kinds


def _values(schema: Schema) -> set[str] | None:
    """Return the values that `const` and `enum` allow, as JSON; None if there is neither."""
    found = [{json.dumps(schema["const"], sort_keys=True)}] if "const" in schema else []
    if "enum" in schema:
        found.append({json.dumps(value, sort_keys=True) for value in schema["enum"]})
    return set.intersection(*found) if found else None
