"""The gate of the contracts: fails when a published event is changed in a way that breaks a consumer.

What is published stands in `events/published.json`: the schemas without their descriptions, and the patterns.
It is a file, and not a tag in git's history, because a shallow clone and a downloaded archive have no
history, and because publishing is a decision: a new field may still change until a release promises it.
`--publish` alone writes the file, and refuses what breaks a consumer; the diff of that file is what a
reviewer has to look at.

A change is harmless if whatever is valid under the new schema is valid under the published one
(`schema_compatibility`): new fields, tighter limits and other descriptions pass.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from scripts.contracts.compatibility import UnsupportedSchemaError, breaking_changes, normalise
from scripts.contracts.events import EVENTS, load, load_published, save_published

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.contracts.events import Contract


def problems(contracts: Mapping[str, Contract], published: Mapping[str, Any]) -> Iterator[str]:
    """Everything that forbids the contracts as they stand, each with what to do about it."""
    for contract in contracts.values():
        for version, schema in contract.versions.items():
            yield from _faults(f"events/{contract.name}/{version}.json", version, schema)
    for name, promised in published.items():
        if name not in contracts:
            yield f"events/{name}/ is published, but gone.\n  Restore it: consumers wait for these events."
        else:
            yield from _broken(contracts[name], promised)


def publishable(contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """What `events/published.json` holds once all that is there is published."""
    return {
        name: {
            "pattern": contract.pattern,
            "versions": {str(version): normalise(schema) for version, schema in contract.versions.items()},
        }
        for name, contract in contracts.items()
        if contract.versions
    }


def unpublished(contracts: Mapping[str, Contract], published: Mapping[str, Any]) -> Iterator[str]:
    """The files that hold more than what is published, none of which breaks anything."""
    for name, now in publishable(contracts).items():
        versions = published.get(name, {}).get("versions", {})
        for version, schema in now["versions"].items():
            if versions.get(version) != schema:
                yield f"events/{name}/{version}.json"


def _faults(file: str, version: int, schema: dict[str, Any]) -> Iterator[str]:
    try:
        Draft202012Validator.check_schema(schema)
        normalise(schema)
    except SchemaError as error:
        yield f"{file} is not a JSON Schema: {error.json_path}: {error.message}"
    except UnsupportedSchemaError as error:
        yield f"{file} cannot be compared: {error}"
    else:
        stated = schema.get("properties", {}).get("schema_version", {}).get("const")
        if stated != version or "schema_version" not in schema.get("required", ()):
            yield (
                f"{file}: schema_version is {json.dumps(stated)}.\n"
                f"  It has to be required and the constant {version}: consumers tell versions apart by it."
            )


def _broken(contract: Contract, promised: Mapping[str, Any]) -> Iterator[str]:
    if contract.pattern != promised["pattern"]:
        yield (
            f"events/{contract.name}/pattern.json is {json.dumps(contract.pattern)}, "
            f"but {json.dumps(promised['pattern'])} is published.\n"
            "  Restore it: consumers' rules match on it. An event of another kind gets a folder of its own."
        )
    following = max(contract.versions, default=0) + 1
    for version, old in promised["versions"].items():
        file = f"events/{contract.name}/{version}.json"
        new = contract.versions.get(int(version))
        if new is None:
            yield f"{file} is published, but gone.\n  Restore it: consumers read events of this version."
            continue
        try:
            changes = list(breaking_changes(old, normalise(new)))
        except UnsupportedSchemaError:
            continue  # _faults has told
        if changes:
            yield (
                f"{file} breaks its consumers:\n"
                + "".join(f"    {change}\n" for change in changes)
                + f"  Take this back, or leave {version}.json as it was published and describe the\n"
                f"  new shape in events/{contract.name}/{following}.json, with schema_version {following}."
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the contracts, or publish them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publish", action="store_true", help="promise to consumers what is there now")
    parser.add_argument("--events", type=Path, default=EVENTS, help="the folder of the contracts")
    options = parser.parse_args(arguments)

    contracts = load(options.events)
    try:
        published = load_published(options.events)
    except FileNotFoundError as error:
        if not options.publish:
            print(f"{error.filename} is missing: restore it, it says what consumers rely on.", file=sys.stderr)
            return 1
        published = {}

    if found := list(problems(contracts, published)):
        print("\n".join(found), file=sys.stderr)
        return 1

    pending = list(unpublished(contracts, published))
    if options.publish:
        save_published(publishable(contracts), options.events)
    versions = sum(len(contract.versions) for contract in contracts.values())
    print(f"{versions} event schemas keep what is published.")
    for file in pending:
        print(f"  {file}: " + ("published now." if options.publish else "has additions that --publish would promise."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
