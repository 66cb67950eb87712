"""Breaking and compatible changes of schemas.

Every kind of change is made everywhere in the real schemas. For each breaking one there is a witness: an event that is
valid under the changed schema but that a consumer of the published one cannot read.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from scripts.contracts.compatibility import (
    LIMITS,
    TYPES,
    BreakingChange,
    UnsupportedSchemaError,
    breaking_changes,
    join,
    normalise,
)
from scripts.contracts.events import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]

CONTRACTS = {name: contract for name, contract in load().items() if contract.versions}
MISSING = object()

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


def is_valid(schema: Schema, value: object) -> bool:
    return Draft202012Validator(schema, format_checker=FORMATS).is_valid(value)


def changes(old: Schema, new: Schema) -> list[BreakingChange]:
    return list(breaking_changes(normalise(old), normalise(new)))


@dataclass(frozen=True)
class Place:
    """Place of a property, in a schema and in a value."""

    path: str
    in_schema: tuple[str, ...]
    in_value: tuple[str | int, ...]

    def changed(self, schema: Schema, change: Callable[[Schema], object]) -> Schema:
        """Return a copy of the schema with a changed schema of the property."""
        result = copy.deepcopy(schema)
        change(at(result, self.in_schema))
        return result

    def replaced(self, value: Any, by: object) -> Any:
        """Return a copy of the value with another value in this place, or without one."""
        result = copy.deepcopy(value)
        *before, last = self.in_value
        if by is MISSING:
            del at(result, before)[last]
        else:
            at(result, before)[last] = by
        return result


def setting(**keywords: object) -> Callable[[Schema], None]:
    return lambda inner: inner.update(keywords)


def dropping(keyword: str) -> Callable[[Schema], object]:
    return lambda inner: inner.pop(keyword)


def at(value: Any, steps: Any) -> Any:
    for step in steps:
        value = value[step]
    return value


def places(
    schema: Schema, path: str = "", in_schema: tuple[str, ...] = (), in_value: tuple[str | int, ...] = ()
) -> Iterator[Place]:
    """Yield all properties and items; for an array, the first item."""
    for name, inner in schema.get("properties", {}).items():
        place = Place(join(path, name), (*in_schema, "properties", name), (*in_value, name))
        yield place
        yield from places(inner, place.path, place.in_schema, place.in_value)
    if "items" in schema:
        place = Place(path + "[]", (*in_schema, "items"), (*in_value, 0))
        yield place
        yield from places(schema["items"], place.path, place.in_schema, place.in_value)


def parent(place: Place) -> tuple[str, ...]:
    return place.in_schema[:-2]


# --- breaking changes: (changed schema, witness) for every place where the kind applies ---

OF_TYPE: dict[str, Any] = {
    "array": ["x"],
    "boolean": True,
    "integer": 7,
    "null": None,
    "number": 1.5,
    "object": {"x": 1},
    "string": "x",
}
STRINGS = ("", "x", "é", "a b", "x" * 2000, "2026-99-99T99:99:99Z", "2026-11-21T09:30:12+01:00")
ANYTHING = (*OF_TYPE.values(), *STRINGS, -1, [0], [{}], ["x"] * 1000)
Case = tuple[Schema, object]


def witness(place: Place, old: Schema, new: Schema, example: object, values: tuple[object, ...]) -> object:
    """Return the example with the first of the values in this place that only the new schema allows."""
    for value in values:
        candidate = place.replaced(example, value)
        if is_valid(new, candidate) and not is_valid(old, candidate):
            return candidate
    raise AssertionError(f"{place.path}: no value distinguishes the two schemas")


def type_is_added(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    inner = at(schema, place.in_schema)
    known = {inner["type"]} if isinstance(inner["type"], str) else set(inner["type"])
    if "const" in inner:
        return
    for kind in sorted(TYPES - known - {"integer" if "number" in known else ""}):
        new = place.changed(schema, setting(type=[*sorted(known), kind]))
        yield new, witness(place, schema, new, example, (OF_TYPE[kind],))


def type_is_removed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if "const" not in at(schema, place.in_schema):
        new = place.changed(schema, dropping("type"))
        yield new, witness(place, schema, new, example, ANYTHING)


def property_is_removed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if not place.path.endswith("[]"):
        name = place.in_schema[-1]
        new = copy.deepcopy(schema)
        del at(new, parent(place))["properties"][name]
        yield new, witness(place, schema, new, example, ANYTHING)


def property_is_renamed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if not place.path.endswith("[]"):
        name = place.in_schema[-1]
        new = copy.deepcopy(schema)
        outer = at(new, parent(place))
        outer["properties"]["new_name"] = outer["properties"].pop(name)
        outer["required"] = ["new_name" if entry == name else entry for entry in outer["required"]]
        renamed = copy.deepcopy(example)
        holder = at(renamed, place.in_value[:-1])
        holder["new_name"] = holder.pop(name)
        yield new, renamed


def property_becomes_optional(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if not place.path.endswith("[]"):
        new = copy.deepcopy(schema)
        at(new, parent(place))["required"].remove(place.in_schema[-1])
        yield new, place.replaced(example, MISSING)


def required_is_dropped(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if not place.path.endswith("[]"):
        new = copy.deepcopy(schema)
        del at(new, parent(place))["required"]
        yield new, place.replaced(example, MISSING)


def constant_is_changed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    inner = at(schema, place.in_schema)
    if "const" in inner:
        other = inner["const"] * 2
        new = place.changed(schema, setting(const=other))
        yield new, place.replaced(example, other)


def constant_becomes_a_choice(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    inner = at(schema, place.in_schema)
    if "const" in inner:
        other = inner["const"] * 2
        new = place.changed(schema, lambda inner: inner.update(enum=[inner.pop("const"), other]))
        yield new, place.replaced(example, other)


def constant_is_removed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    inner = at(schema, place.in_schema)
    if "const" in inner:
        new = place.changed(schema, dropping("const"))
        yield new, place.replaced(example, inner["const"] * 2)


def limit_is_removed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    for keyword in LIMITS.keys() & at(schema, place.in_schema).keys():
        new = place.changed(schema, dropping(keyword))
        yield new, witness(place, schema, new, example, ANYTHING)


def limit_is_loosened(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    inner = at(schema, place.in_schema)
    steps = {"minimum": -1, "maximum": 1, "minLength": -1, "maxLength": 1, "minItems": -1, "maxItems": 1}
    for keyword, step in steps.items():
        if keyword in inner:
            value = inner[keyword] + step
            new = place.changed(schema, setting(**{keyword: value}))
            on_the_edge = {"Length": "x" * value, "Items": ["x"] * value}.get(keyword[3:], value)
            yield new, place.replaced(example, on_the_edge)


def pattern_is_changed(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if "pattern" in at(schema, place.in_schema):
        new = place.changed(schema, setting(pattern="^.*$"))
        yield new, witness(place, schema, new, example, STRINGS)


def items_are_no_longer_described(place: Place, schema: Schema, example: object) -> Iterator[Case]:
    if "items" in at(schema, place.in_schema):
        new = place.changed(schema, dropping("items"))
        yield new, place.replaced(example, [0])


BREAKING = (
    type_is_added,
    type_is_removed,
    property_is_removed,
    property_is_renamed,
    property_becomes_optional,
    required_is_dropped,
    constant_is_changed,
    constant_becomes_a_choice,
    constant_is_removed,
    limit_is_removed,
    limit_is_loosened,
    pattern_is_changed,
    items_are_no_longer_described,
)


@pytest.mark.parametrize("kind", BREAKING, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CONTRACTS)
def test_breaking_change_is_found_everywhere(name: str, kind: Any) -> None:
    schema, example = _real(name)
    cases = [(place, *case) for place in places(schema) for case in kind(place, schema, example)]
    assert cases or (kind is items_are_no_longer_described and name in {"image_rejected", "image_version_deleted"})
    for place, new, unreadable in cases:
        assert is_valid(new, unreadable), place.path
        assert not is_valid(schema, unreadable), place.path
        assert place.path in {change.path for change in changes(schema, new)}, place.path


# --- harmless changes ---


def optional_property_is_added(inner: Schema) -> bool:
    inner.setdefault("properties", {})["added"] = {"type": ["string", "null"], "maxLength": 9}
    return True


def required_property_is_added(inner: Schema) -> bool:
    inner.setdefault("properties", {})["added"] = {"type": "object", "properties": {"x": {"type": "integer"}}}
    inner["required"] = [*inner.get("required", []), "added"]
    return True


def words_are_changed(inner: Schema) -> bool:
    inner.update(title="New", description="Other words.", examples=["x"], deprecated=True)
    inner["$comment"] = "Why."
    return True


def words_are_removed(inner: Schema) -> bool:
    words = {"title", "description", "examples"} & inner.keys()
    for keyword in words:
        del inner[keyword]
    return bool(words)


def order_is_changed(inner: Schema) -> bool:
    for keyword in ("required", "type"):
        if isinstance(inner.get(keyword), list):
            inner[keyword] = inner[keyword][::-1]
    if "properties" in inner:
        inner["properties"] = dict(reversed(inner["properties"].items()))
    return True


def type_is_narrowed(inner: Schema) -> bool:
    if isinstance(inner["type"], list):
        inner["type"] = inner["type"][0]
        return True
    return False


def value_is_pinned(inner: Schema) -> bool:
    if inner["type"] in ("string", "integer", "boolean") and "const" not in inner:
        inner["enum"] = [OF_TYPE[inner["type"]]]
        return True
    return False


def limits_are_tightened(inner: Schema) -> bool:
    for keyword, step in (("minimum", 1), ("maximum", -1), ("minLength", 1), ("maxLength", -1)):
        if keyword in inner:
            inner[keyword] += step
    return bool({"minimum", "maximum", "minLength", "maxLength"} & inner.keys())


def limits_are_added(inner: Schema) -> bool:
    limits = {"minimum": 0, "maximum": 9, "minLength": 0, "maxLength": 9, "minItems": 1, "maxItems": 9}
    for keyword, value in {**limits, "pattern": "^x", "format": "uri"}.items():
        inner.setdefault(keyword, value)
    return True


HARMLESS = (
    optional_property_is_added,
    required_property_is_added,
    words_are_changed,
    words_are_removed,
    order_is_changed,
    type_is_narrowed,
    value_is_pinned,
    limits_are_tightened,
    limits_are_added,
)


@pytest.mark.parametrize("kind", HARMLESS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CONTRACTS)
def test_compatible_change_passes_everywhere(name: str, kind: Any) -> None:
    schema, _ = _real(name)
    applied = 0
    for place in (Place("", (), ()), *places(schema)):
        new = copy.deepcopy(schema)
        if kind(at(new, place.in_schema)):
            applied += 1
            assert changes(schema, new) == [], place.path
    assert applied


# --- what the real schemas do not hold ---

OBJECT = {"type": "object"}


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ({"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}, 'may now have the value "c"'),
        ({"enum": ["a", "b"]}, {"enum": ["b"]}, None),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, None),
        ({"enum": ["a", "b"]}, {"const": "a"}, None),
        ({"enum": ["a"]}, {"const": "b"}, 'may now have the value "b"'),
        ({"enum": ["a", "b"]}, {"type": "string"}, 'is no longer limited to "a", "b"'),
        ({"enum": [1]}, {"enum": [1, True]}, "may now have the value true"),
        ({"const": {"a": 1, "b": 2}}, {"const": {"b": 2, "a": 1}}, None),
        ({"type": "integer"}, {"type": "number"}, "may now be of type number"),
        ({"type": "number"}, {"type": "integer"}, None),
        ({"type": ["number", "null"]}, {"type": ["null", "integer"]}, None),
        ({"type": "string"}, {"type": ["string", "null"]}, "may now be of type null"),
        ({}, {"type": "string"}, None),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 0}, "minItems was 1 and is now 0"),
        ({"type": "array", "minItems": 1}, {"type": "array"}, "has no minItems any more (it was 1)"),
        ({"type": "array", "maxItems": 3}, {"type": "array", "maxItems": 4}, "maxItems was 3 and is now 4"),
        ({"type": "array", "maxItems": 3}, {"type": "array", "maxItems": 3}, None),
        ({"type": "array"}, {"type": "array", "items": OBJECT}, None),
        ({"format": "date-time"}, {"format": "date"}, "format was date-time and is now date"),
        ({"format": "date-time"}, {}, "has no format any more (it was date-time)"),
        ({**OBJECT, "required": ["x"]}, OBJECT, "may now be missing"),
        ({"properties": {"x": {}}, "required": ["x"]}, {}, "was removed"),
        ({**OBJECT, "properties": {"title": {}}}, {**OBJECT, "properties": {}}, "was removed"),
    ],
)
def test_small_schemas(old: Schema, new: Schema, breaks: str | None) -> None:
    assert [change.what for change in changes(old, new)] == ([breaks] if breaks else [])


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "#/$defs/x"}, r"\(the whole\): the keyword '\$ref'"),
        ({"properties": {"a": {"anyOf": [{}]}}}, "a: the keyword 'anyOf'"),
        (
            {"properties": {"a": {"items": {"additionalProperties": False}}}},
            r"a\[\]: the keyword 'additional",
        ),
        ({"properties": {"a": {"properties": {"b": True}}}}, r"a\.b: True where an object is expected"),
    ],
)
def test_incomparable_schema_is_refused(schema: Schema, message: str) -> None:
    with pytest.raises(UnsupportedSchemaError, match=message):
        normalise(schema)


def test_property_can_have_the_name_of_a_keyword() -> None:
    schema = {"properties": {"description": {"type": "string", "description": "Words."}}}
    assert normalise(schema) == {"properties": {"description": {"type": "string"}}}


def test_changes_name_nested_fields() -> None:
    schema, _ = _real("image_processed")
    new = copy.deepcopy(schema)
    new["properties"]["variants"]["items"]["required"].remove("key")
    new["properties"]["original"]["properties"]["width"]["minimum"] = 0
    assert [str(change) for change in changes(schema, new)] == [
        "original.width: minimum was 1 and is now 0",
        "variants[].key: may now be missing",
    ]


# --- the rule itself, for all pairs of many small schemas ---

KEYWORDS: tuple[Schema, ...] = (
    {},
    *({"type": kind} for kind in sorted(TYPES)),
    {"type": ["integer", "null"]},
    {"type": ["number", "string"]},
    {"const": 1},
    {"const": "xx"},
    {"const": None},
    {"enum": [1, "xx"]},
    {"enum": [1, 2, None]},
    *({keyword: value} for keyword in ("minimum", "maximum") for value in (0, 1, 2)),
    *({keyword: value} for keyword in ("minLength", "maxLength", "minItems", "maxItems") for value in (0, 1, 2)),
    {"pattern": "^x*$"},
    {"pattern": "y"},
    {"required": ["a"]},
    {"required": ["a", "b"]},
)
PAIRED = [{**first, **second} for first in KEYWORDS[::2] for second in KEYWORDS[1::2]]
SMALL = [*KEYWORDS, *PAIRED]
NESTED = [
    *({"items": schema} for schema in KEYWORDS),
    *({"properties": {name: schema}} for name in "ab" for schema in KEYWORDS),
    *({"properties": {"a": schema}, "required": ["a"]} for schema in KEYWORDS),
    *({"properties": {"a": {"type": "integer"}, "b": schema}} for schema in KEYWORDS),
    *({"items": {"properties": {"a": schema}}} for schema in KEYWORDS),
]
FLAT: tuple[object, ...] = (None, True, False, -1, 0, 1, 2, 3, 0.5, 1.5, "", "x", "xx", "xxx", "y", "xyx")
VALUES: tuple[object, ...] = (
    *FLAT,
    *([], [[]], [{}], [1, "x", None], ["xx"], [{"a": 1}], [{"a": "x", "b": 2}]),
    *([value] for value in FLAT),
    *({"a": value} for value in (*FLAT, [], {})),
    *({"b": value} for value in (*FLAT, [], {})),
    *({"a": 1, "b": value} for value in FLAT),
    *([{"a": value}] for value in FLAT),
)


@pytest.mark.parametrize("schemas", [SMALL, NESTED], ids=["small", "nested"])
def test_compatible_change_keeps_events_readable(schemas: list[Schema]) -> None:
    plain = [normalise(schema) for schema in schemas]
    admitted = [
        {number for number, value in enumerate(VALUES) if validator.is_valid(value)}
        for validator in map(Draft202012Validator, schemas)
    ]
    passed = 0
    for old, readable in zip(plain, admitted, strict=True):
        for new, possible in zip(plain, admitted, strict=True):
            if next(breaking_changes(old, new), None) is None:
                passed += old != new
                assert possible <= readable, (old, new, [VALUES[number] for number in possible - readable])
    assert passed > len(schemas)


def _real(name: str) -> tuple[Schema, Any]:
    contract = CONTRACTS[name]
    example = copy.deepcopy(contract.examples["example.json"]["detail"])
    for value in example.values():
        if isinstance(value, list):
            del value[1:]  # the changes are made to the first item
    return contract.versions[example["schema_version"]], example
