"""build/manifest.json: which zips there are. Terraform reads it.

It never names a zip that is not there, that has other bytes, or that is older than its sources were at the
last run: whoever replaces a zip takes it out of the manifest first and puts it in again when it is complete.
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
        path: Of the zip, relative to the manifest's folder.
        sha256: Of the zip, in hexadecimal.
        size: Of the zip, in bytes.
        sbom: Path of its bill of materials, relative to the manifest's folder.
        function: Name of the function.
        architecture: `arm64` or `x86_64`.
        runtime: Lambda's name of the Python version, as `python3.13`.
        bytecode: Version of the Python that compiled it, as `3.13.2`; empty if it holds sources alone.
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
    """The manifest in a folder; empty where there is none, or one that nothing here wrote."""
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
    """Replace the manifest at once, by way of a folder on the same file system."""
    text = json.dumps(dict(sorted(manifest.items())), indent=2, sort_keys=True) + "\n"
    new = work / MANIFEST
    new.write_text(text, encoding="utf-8")
    new.replace(output / MANIFEST)


def is_current(output: Path, entry: Artifact | None, inputs: str) -> bool:
    """Whether an artifact is there, whole, and made from these inputs."""
    if entry is None or entry["inputs"] != inputs or not (output / entry["sbom"]).is_file():
        return False
    try:
        return sha256(output / entry["path"]) == entry["sha256"]
    except FileNotFoundError:
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
