"""Compare the Terraform code with the schema of the AWS provider's version 6.

`provider6.json` holds the schemas of the types that the code uses. `make schemas` writes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcl2

from scripts import ROOT
from scripts.aws_checks.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.aws_checks.provider_schemas import Schema
    from scripts.terraform.plans import Plan

FILE = Path(__file__).with_suffix(".json")

# Arguments and blocks of every resource that are Terraform's own and not the provider's.
META = {"connection", "count", "depends_on", "dynamic", "for_each", "lifecycle", "provider", "provisioner"}

# Deprecated in version 6, but in use, and why: version 5 has no replacement.
DEPRECATED_IN_USE = {
    "data.aws_region.id": "version 5 has no `region`",
    "aws_dynamodb_table.global_secondary_index.hash_key": "version 5 has no `key_schema`",
    "aws_dynamodb_table.global_secondary_index.range_key": "version 5 has no `key_schema`",
}

# Blocks that use a provider and that this check does not read.
NOT_READ = ("action", "ephemeral", "list")

TYPE = r"(?P<type>(?:data\.)?aws_\w+)\.(?P<name>\w+)"
INDEX = r"(?:\[(?:[^\[\]]|\[[^\]]*\])*\])*"
READ = re.compile(rf"(?<![\w.]){TYPE}{INDEX}\.(?P<path>\w+(?:{INDEX}\.\w+)*)")
LOOP = re.compile(rf"\bfor (?:\w+, )?(?P<each>\w+) in (?:values\()?{TYPE}(?:\)|{INDEX}) :")


@dataclass(frozen=True, order=True, slots=True)
class Use:
    """One use of the provider in the code.

    Attributes:
        path: The type and, below it, the argument, block or attribute, such as `aws_sqs_queue.name`.
        kind: `argument`, `block` or `attribute`; `type` for a type alone.
        literal: Form of an argument's value: `one`, `list` or `map`; None for an expression.
        parts: The arguments and blocks in a block or type.
    """

    path: str
    kind: str
    literal: str | None = None
    parts: frozenset[str] = frozenset()


@cache
def schemas() -> Mapping[str, Schema]:
    """Return the schemas by type, `data.` before the name of a data source, `provider` for the provider's block."""
    types: Mapping[str, Schema] = json.loads(FILE.read_text())["types"]
    return types


@cache
def uses(text: str) -> tuple[Use, ...]:
    """Return each use of the provider in a Terraform file, or in a file of Terraform's tests, once."""
    return tuple(dict.fromkeys(_uses(text)))


def _uses(text: str) -> Iterator[Use]:
    parsed = hcl2.loads(text)
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for block in parsed.get(kind, []):
            for label, named in block.items():
                for body in named.values():
                    yield from _block(prefix + _plain(label), "type", body)
                    yield from _itself(prefix + _plain(label), body)
    for block in parsed.get("provider", []):
        for body in block.values():
            yield from _block("provider", "type", {name: one for name, one in body.items() if name != "alias"})
    for kind in NOT_READ:
        if kind in parsed:
            yield Use(f"{kind} block", "type")
    yield from _mocked(parsed)
    yield from _read(text)


def _block(path: str, kind: str, body: Mapping[str, Any]) -> Iterator[Use]:
    parts = {name for name in body if not name.startswith("__")} - META
    blocks = {name: body[name] for name in parts if _is_block(body[name])}
    dynamic = [(_plain(label), one["content"]) for found in body.get("dynamic", []) for label, one in _labelled(found)]
    yield Use(path, kind, parts=frozenset(parts | {name for name, _ in dynamic}))
    for name in sorted(parts - blocks.keys()):
        yield Use(f"{path}.{name}", "argument", _literal(body[name]))
    for name, bodies in [*blocks.items(), *dynamic]:
        for one in bodies:
            yield from _block(f"{path}.{name}", "block", one)


def _itself(path: str, body: Mapping[str, Any]) -> Iterator[Use]:
    """Yield the attributes of a resource that its own block names: in `lifecycle`, and by `self`."""
    for lifecycle in body.get("lifecycle", []):
        ignored = lifecycle.get("ignore_changes", [])
        for one in ignored if isinstance(ignored, list) else []:
            yield Use(f"{path}.{_path(one.removeprefix('${').removesuffix('}'))}", "attribute")
    for name in re.findall(rf"\bself\.(\w+(?:{INDEX}\.\w+)*)", json.dumps(body)):
        yield Use(f"{path}.{_path(name)}", "attribute")


def _mocked(parsed: Mapping[str, Any]) -> Iterator[Use]:
    """Yield the attributes that tests set for a resource or a data source."""
    for provider in parsed.get("mock_provider", []):
        for body in provider.values():
            for kind, prefix in (("mock_resource", ""), ("mock_data", "data.")):
                for found in body.get(kind, []):
                    for label, one in _labelled(found):
                        yield from _given(prefix + _plain(label), one.get("defaults", {}))
    runs = [body for run in parsed.get("run", []) for _, body in _labelled(run)]
    for place in (parsed, *runs):
        for kind in ("override_resource", "override_data"):
            for one in place.get(kind, []):
                if found := re.search(TYPE, one["target"]):
                    yield from _given(found["type"], one.get("values", {}))


def _given(path: str, values: Mapping[str, Any]) -> Iterator[Use]:
    yield Use(path, "attribute")
    for name in values:
        yield Use(f"{path}.{_plain(name)}", "attribute")


def _read(text: str) -> Iterator[Use]:
    """Yield the attributes that expressions read."""
    for found in READ.finditer(text):
        yield Use(f"{found['type']}.{_path(found['path'])}", "attribute")
    for found in LOOP.finditer(text):
        for name in re.findall(rf"(?<![\w.]){found['each']}\.(\w+)", _to_the_end(text[found.end() :])):
            yield Use(f"{found['type']}.{name}", "attribute")


def _to_the_end(text: str) -> str:
    """Return the text up to the bracket that closes the expression around it."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return text[:position]
    return text


def _path(text: str) -> str:
    return re.sub(INDEX, "", text)


def _plain(label: str) -> str:
    return label.strip('"')


def _labelled(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(label, one) for label, one in found.items() if not label.startswith("__")]


def _is_block(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) and "__is_block__" in one for one in value)


def _literal(value: object) -> str | None:
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "map"
    if isinstance(value, str) and value.startswith("${"):
        return None  # an expression
    return "one" if isinstance(value, str | int | float) else None


def faults(text: str) -> Iterator[tuple[str, str]]:
    """Yield uses that version 6 does not know, knows with another type, or warns of: the path, and the reason."""
    for kind in sorted(used_types(text) - schemas().keys()):
        yield (
            kind,
            f"{FILE.name} does not have this type. Run `make schemas`; if that fails, version 6 does not have it",
        )
    for use in uses(text):
        yield from ((use.path, what) for what in _faults(use))


def _faults(use: Use) -> Iterator[str]:
    kind, path = split(use.path)
    schema = schemas().get(kind)
    if schema is None:
        return
    if not path:
        yield from _missing(use, schema)
        return
    for name in path[:-1]:
        if name in schema.get("blocks", {}):
            schema = schema["blocks"][name]
        elif name in {*schema.get("attributes", {}), *schema.get("arguments", {})}:
            return  # an attribute that is an object: the package does not describe its fields
        else:
            yield f"version 6 has no `{name}`"
            return
    yield from _own(use, path[-1], schema)
    if (advice := schema.get("deprecated", {}).get(path[-1])) and use.path not in DEPRECATED_IN_USE:
        yield f"deprecated in version 6: {advice}"


def _missing(use: Use, schema: Schema) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in use.parts and use.kind != "attribute":
            yield f"version 6 requires `{name}`"


def _own(use: Use, name: str, schema: Schema) -> Iterator[str]:
    arguments, blocks = schema.get("arguments", {}), schema.get("blocks", {})
    if use.kind == "attribute":
        known = {one.replace("_", "") for one in {*arguments, *blocks, *schema.get("attributes", {})}}
        if name.replace("_", "") not in known:  # the package writes `crc32_c` for `crc32c`
            yield "version 6 has no such attribute"
    elif use.kind == "block" and name in blocks:
        yield from _missing(use, blocks[name])
    elif use.kind == "argument" and name in arguments:
        if use.literal not in (None, _shape(arguments[name])):
            yield f"version 6 takes a {arguments[name]}"
    elif name in arguments or name in blocks:
        yield f"version 6 has no such {use.kind}, but {'an argument' if name in arguments else 'a block'} of this name"
    else:
        yield f"version 6 has no such {use.kind}"


def _shape(kind: str) -> str:
    """Return the form in which a value of a type is written."""
    outer = kind.partition("(")[0]
    return {"list": "list", "map": "map", "object": "map"}.get(outer, "one")


def split(path: str) -> tuple[str, list[str]]:
    """Return the type in a path, and the names below it."""
    found = re.match(r"(?:data\.)?[^.]+", path)
    kind = found[0] if found else path
    return kind, path[len(kind) + 1 :].split(".") if len(path) > len(kind) else []


def used_types(text: str) -> set[str]:
    """Return the types that a Terraform file uses, `provider` for the provider's own block."""
    return {split(use.path)[0] for use in uses(text)}


def code() -> dict[str, str]:
    """Return the text of each Terraform file and of each file of Terraform's tests, by its path."""
    folder = ROOT / "terraform"
    files = sorted([*folder.rglob("*.tf"), *folder.rglob("*.tftest.hcl")])
    return {str(file.relative_to(ROOT)): file.read_text() for file in files if ".terraform" not in file.parts}


def check(_plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield uses that version 6 refuses, from the code: plans are made with version 5."""
    for file, text in code().items():
        for where, what in faults(text):
            yield Finding(file, where, what)
