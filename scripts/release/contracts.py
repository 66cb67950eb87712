"""Compare the contracts with the published ones: a consumer must be able to read the events under them.

The record holds the schemas without their descriptions, and the patterns. A change is harmless if everything that is
valid under the new schema is valid under the published one (`scripts/contracts/compatibility.py`): new fields, tighter
limits and other descriptions pass.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from scripts.contracts.compatibility import UnsupportedSchemaError, breaking_changes, normalise
from scripts.contracts.events import load
from scripts.release.review import Review

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scripts.contracts.events import Contract


PUBLISHED = "events/published.json"


def review(root: Path, published: Mapping[str, Any]) -> Review:
    """Compare the contracts in a repository with what is published."""
    contracts = load(root / "events")
    versions = sum(len(contract.versions) for contract in contracts.values())
    if found := list(problems(contracts, published)):
        return Review(problems=found)
    return Review(
        pending=list(unpublished(contracts, published)),
        content=publishable(contracts),
        subject=f"{versions} event schemas",
    )


def problems(contracts: Mapping[str, Contract], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield everything that breaks a consumer, each with what to do about it."""
    for contract in contracts.values():
        for version, schema in contract.versions.items():
            yield from _faults(f"events/{contract.name}/{version}.json", version, schema)
    for name, promised in published.items():
        if name not in contracts:
            yield f"events/{name}/ is published, but missing.\n  Restore it: consumers wait for these events."
        else:
            yield from _broken(contracts[name], promised)


def publishable(contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """Return what `events/published.json` holds once all contracts are published."""
    return {
        name: {
            "pattern": contract.pattern,
            "versions": {str(version): normalise(schema) for version, schema in contract.versions.items()},
        }
        for name, contract in contracts.items()
        if contract.versions
    }


def unpublished(contracts: Mapping[str, Contract], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that differ from what is published."""
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
                f"  Make it required and the constant {version}: consumers distinguish versions by it."
            )


def _broken(contract: Contract, promised: Mapping[str, Any]) -> Iterator[str]:
    if contract.pattern != promised["pattern"]:
        yield (
            f"events/{contract.name}/pattern.json is {json.dumps(contract.pattern)}, "
            f"but {json.dumps(promised['pattern'])} is published.\n"
            "  Restore it: consumers' rules match on it. Give another kind of event its own folder."
        )
    following = max(contract.versions, default=0) + 1
    for version, old in promised["versions"].items():
        file = f"events/{contract.name}/{version}.json"
        new = contract.versions.get(int(version))
        if new is None:
            yield f"{file} is published, but missing.\n  Restore it: consumers read events of this version."
            continue
        try:
            changes = list(breaking_changes(old, normalise(new)))
        except UnsupportedSchemaError:
            continue  # _faults has reported it
        if changes:
            yield (
                f"{file} breaks its consumers:\n"
                + "".join(f"    {change}\n" for change in changes)
                + f"  Take this back, or leave {version}.json as it was published and describe the\n"
                f"  new shape in events/{contract.name}/{following}.json, with schema_version {following}."
            )
