"""build/manifest.json, which Terraform reads to find the zips.

It never names a zip that is missing, that has other bytes, or that was older than its sources at the last run: an
entry is removed before its zip is replaced, and added when the zip is complete.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"


class Artifact(TypedDict):
    """One entry of the manifest; docs/packaging.md describes the fields."""

    path: str
    sha256: str
    size: int
    sbom: str
    function: str
    architecture: str
    runtime: str
    bytecode: str
    inputs: str


def read(output: Path) -> dict[str, Artifact]:
    """Return the manifest in a folder; empty if there is none, or if another program wrote it."""
    try:
        entries: dict[str, Artifact] = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {key: entry for key, entry in entries.items() if Artifact.__required_keys__ <= {*entry}}


def write(output: Path, manifest: dict[str, Artifact], work: Path) -> None:
    """Replace the manifest in one step, through a working folder on the same file system."""
    new = work / MANIFEST
    new.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    new.replace(output / MANIFEST)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
