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
    """One entry of the manifest.

    Attributes:
        path: Path of the zip, relative to the manifest's folder.
        sha256: SHA-256 of the zip, in hexadecimal.
        size: Size of the zip in bytes.
        sbom: Path of its bill of materials, relative to the manifest's folder.
        function: Name of the function.
        architecture: `arm64` or `x86_64`.
        runtime: Lambda's name of the Python version, as `python3.13`.
        bytecode: Version of the Python that compiled it, as `3.13.2`; empty if it holds only sources.
        inputs: SHA-256 of what the zip was made from.
    """

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
        manifest: dict[str, Artifact] = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    fields = Artifact.__required_keys__
    whole = isinstance(manifest, dict) and all(
        isinstance(entry, dict) and fields <= entry.keys() for entry in manifest.values()
    )
    return manifest if whole else {}


def write(output: Path, manifest: dict[str, Artifact], work: Path) -> None:
    """Replace the manifest in one step, through a working folder on the same file system."""
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    new = work / MANIFEST
    new.write_text(text, encoding="utf-8")
    new.replace(output / MANIFEST)


def is_current(output: Path, entry: Artifact | None, inputs: str) -> bool:
    """Return True if an artifact exists, is whole and was made from these inputs."""
    if entry is None or entry["inputs"] != inputs or not (output / entry["sbom"]).is_file():
        return False
    try:
        return sha256(output / entry["path"]) == entry["sha256"]
    except FileNotFoundError:
        return False


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
