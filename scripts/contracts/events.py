"""The contracts in the folder `events/`, as every script and test reads them.

Darkroom's own events have a schema for each version (`1.json`, `2.json`, …) and are published: consumers rely
on them. Events that AWS sends have `expected.json`, which says what Darkroom relies on in them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = ROOT / "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The contract of one type of event.

    Attributes:
        name: The folder's name.
        pattern: The EventBridge pattern that matches it.
        versions: Schemas of `detail` by version; empty for an event that AWS sends.
        expected: For an event that AWS sends, the schema of what Darkroom relies on in the whole event.
        examples: Whole events, by file name.
    """

    name: str
    pattern: dict[str, list[str]]
    versions: dict[int, dict[str, Any]]
    expected: dict[str, Any] | None
    examples: dict[str, dict[str, Any]]


def load(folder: Path = EVENTS) -> dict[str, Contract]:
    """Return all contracts in a folder, by name."""
    return {path.parent.name: _load(path.parent) for path in sorted(folder.glob("*/pattern.json"))}


def _load(folder: Path) -> Contract:
    expected = folder / "expected.json"
    return Contract(
        name=folder.name,
        pattern=_read(folder / "pattern.json"),
        versions={
            int(path.stem): _read(path)
            for path in sorted(folder.glob("*.json"), key=lambda path: (len(path.stem), path.stem))
            if path.stem.isdecimal()
        },
        expected=_read(expected) if expected.exists() else None,
        examples={path.name: _read(path) for path in sorted(folder.glob("example*.json"))},
    )


def load_published(folder: Path = EVENTS) -> dict[str, Any]:
    """Return what is published: for each event its `pattern` and, by version, its normalised schemas (`versions`)."""
    published: dict[str, Any] = _read(folder / "published.json")
    return published


def to_json(value: object) -> str:
    """Return JSON in the layout of this folder."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> Any:  # noqa: ANN401 - what it is, the schemas say
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
