"""Writes docs/events.md from the contracts in the folder `events/`: patterns, schemas and examples."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.contracts.compatibility import join
from scripts.contracts.events import EVENTS, load, load_published, to_json
from scripts.generated.documents import settle
from scripts.process.entry_point import entry_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.contracts.events import Contract

PAGE = ROOT / "docs" / "events.md"
COMMAND = "python scripts/document_events.py"

SENDERS = {"darkroom": "the function `process_image`", "aws.s3": "Amazon S3"}

INTRODUCTION = f"""\
# Events

<!-- Written by `{COMMAND}` from the folder events/; change it there. -->

Every event has a folder in [`events/`](../events): the EventBridge pattern that matches it, the JSON Schema
of each version, a whole event as an example. Terraform builds its rules from the same patterns, and tests
hold the function to the same schemas.

"""

PROMISES = """\
## What a consumer can count on

- Events arrive **at least once and in any order**. Two that announce the same thing have the same `dedup_id`;
  of two about the same image, the one with the greater `sequencer` is the later one.
- Fields are added without notice: **ignore those you do not know**. The same holds for lists of values that
  may grow.
- A field that is required stays, and keeps its type and limits, as long as `schema_version` is the same. A
  change that could break a consumer is a new version:
  [`scripts/check_published.py`](../scripts/check_published.py) refuses any other way.
- What is marked as *not published yet* is not promised and may still change.

"""


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table: a property, its schema and whether it is always there."""

    path: str
    schema: Mapping[str, Any]
    required: bool


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[Field]:
    """All properties of a schema, an object's own right after it; `[]` in a path stands for every item."""
    for name, inner in schema.get("properties", {}).items():
        here = join(path, name)
        yield Field(here, inner, name in schema.get("required", ()))
        yield from fields(inner, here)
        yield from fields(inner.get("items", {}), here + "[]")


def render(folder: Path = EVENTS) -> str:
    """The whole page."""
    contracts = load(folder)
    published = load_published(folder)
    ours = [contract for contract in contracts.values() if contract.versions]
    theirs = [contract for contract in contracts.values() if contract.expected]
    parts = [INTRODUCTION, *_overview([*ours, *theirs]), PROMISES]
    for contract in ours:
        parts += _heading(contract)
        promised = published.get(contract.name, {}).get("versions", {})
        for version, schema in contract.versions.items():
            draft = "" if str(version) in promised else ", *not published yet*"
            parts.append(f"### Version {version} of `detail`{draft}\n\n")
            known = {field.path for field in fields(promised.get(str(version), schema))}
            parts += _table(schema, known)
        parts += _examples(contract)
    for contract in theirs:
        parts += _heading(contract)
        parts.append("### What Darkroom relies on\n\nThe event holds more; the rest may be missing.\n\n")
        parts += _table(contract.expected or {})
        parts += _examples(contract)
    return "".join(parts).rstrip("\n") + "\n"


def _schema(contract: Contract) -> Mapping[str, Any]:
    return contract.expected or contract.versions[max(contract.versions)]


def _overview(contracts: Sequence[Contract]) -> Iterator[str]:
    yield "| event | sent by | meaning |\n|---|---|---|\n"
    for contract in contracts:
        title, meaning = _schema(contract)["title"], _cell(_schema(contract)["description"])
        anchor = title.lower().replace(" ", "-")
        yield f"| [{title}](#{anchor}) | {SENDERS[contract.pattern['source'][0]]} | {meaning} |\n"
    yield "\n"


def _heading(contract: Contract) -> Iterator[str]:
    schema = _schema(contract)
    yield f"## {schema['title']}\n\n{schema['description']}\n\n"
    file = f"events/{contract.name}/pattern.json"
    addition = ",\nto which Terraform adds the name of the bucket" if contract.expected else ""
    yield f"Sent by {SENDERS[contract.pattern['source'][0]]}. Matched by [`{file}`](../{file}){addition}:\n\n"
    yield f"```json\n{json.dumps(contract.pattern)}\n```\n\n"


def _table(schema: Mapping[str, Any], published: set[str] | None = None) -> Iterator[str]:
    yield "| field | type | required | meaning |\n|---|---|---|---|\n"
    for field in fields(schema):
        draft = "" if published is None or field.path in published else " *Not published yet.*"
        required = "yes" if field.required else "no"
        meaning = _cell(field.schema["description"]) + draft
        yield f"| `{field.path}` | {_cell(_type(field.schema))} | {required} | {meaning} |\n"
    yield "\n"


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "any")
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if text == "array" and "items" in schema:
        text = f"array of: {_type(schema['items'])}"
    limits = [
        f"always `{json.dumps(schema['const'])}`" if "const" in schema else "",
        "one of " + ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"]) if "enum" in schema else "",
        _range(schema, "minimum", "maximum", ""),
        _range(schema, "minLength", "maxLength", " characters"),
        _range(schema, "minItems", "maxItems", " items"),
        # A format says what its expression says, and can be read.
        schema.get("format") or (f"`{schema['pattern']}`" if "pattern" in schema else ""),
        "such as " + ", ".join(f"`{value}`" for value in schema["examples"]) if "examples" in schema else "",
    ]
    return "; ".join([text, *filter(None, limits)])


def _range(schema: Mapping[str, Any], lowest: str, highest: str, unit: str) -> str:
    low, high = schema.get(lowest), schema.get(highest)
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low:,}{unit if low != 1 else unit.removesuffix('s')}"
    return f"at most {high:,}{unit}" if low is None else f"{low:,} to {high:,}{unit}"


def _examples(contract: Contract) -> Iterator[str]:
    for name, example in contract.examples.items():
        kind = name.removeprefix("example").removesuffix(".json").replace("_", " ").strip()
        yield f"### Example{': ' + kind if kind else ''} ({_schema(contract)['title']})\n\n"
        yield f"```json\n{to_json(example)}```\n\n"


def _cell(text: str) -> str:
    """Text for a table, where a bar would end the cell."""
    return text.replace("|", "\\|").replace("\n", " ")


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the page is not what would be written")
    parser.add_argument("--events", type=Path, default=EVENTS, help="the folder of the contracts")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page")
    options = parser.parse_args(arguments)

    return settle(options.page, render(options.events), COMMAND, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
