"""Gather the files of a release: the functions' zips, their bills of materials, checksums, and the notes."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.artifacts import manifest as packaging_manifest
from scripts.artifacts.functions import discover
from scripts.artifacts.targets import ARCHITECTURES, DEFAULT_PYTHON, lambda_target
from scripts.process.entry_point import ToolError, entry_point

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKSUMS = "SHA256SUMS"
NOTES = "notes.md"

_TAG = re.compile(r"v(?P<version>\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?)")

EPILOG = """\
The zips must have been built (`make package`), and CHANGELOG.md must have a section for the version. The result is
a folder `files`, with a SHA256SUMS for `sha256sum --check`, and a file with the notes next to it.

example:
  gather_release.py v1.2.0
"""


def gather(tag: str, build: Path, changelog: str, output: Path) -> list[Path]:
    """Fill a folder with a release; gives its files.

    Args:
        tag: v1.2.3, or v1.2.3-rc.1.
        build: Folder with the zips and their manifest.
        changelog: Text of the changelog.
        output: Emptied, then filled.

    Raises:
        ToolError: The tag is not a version, the changelog has no section for it, or a zip is missing or damaged.
    """
    text = notes(tag, changelog)
    manifest = packaging_manifest.read(build)
    shutil.rmtree(output, ignore_errors=True)
    files = output / "files"
    files.mkdir(parents=True)
    released = {}
    for key in _wanted():
        if key not in manifest:
            raise ToolError(f"{key} is not built: run `make package`.")
        entry = released[key] = manifest[key]
        if packaging_manifest.sha256(build / entry["path"]) != entry["sha256"]:
            raise ToolError(f"{entry['path']} differs from the manifest: run `make package` again.")
        for name in (entry["path"], entry["sbom"]):
            shutil.copyfile(build / name, files / name)
    packaging_manifest.write(files, released, output)
    gathered = sorted(files.iterdir())
    sums = "".join(f"{packaging_manifest.sha256(file)}  {file.name}\n" for file in gathered)
    (files / CHECKSUMS).write_text(sums)
    (output / NOTES).write_text(text)
    return [*gathered, files / CHECKSUMS]


def notes(tag: str, changelog: str) -> str:
    """Return the changelog's section for a tag's version.

    Raises:
        ToolError: There is no section, or the tag is not a version.
    """
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ToolError(f"{tag} is no version: tag it as v1.2.3, or v1.2.3-rc.1.")
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        if heading.split()[:1] == [match["version"]] and text.strip():
            return text.strip() + "\n"
    raise ToolError(f"CHANGELOG.md has no section `## {match['version']}` with contents: add it, and tag again.")


def _wanted() -> list[str]:
    """Return the names of all zips of a release."""
    targets = [lambda_target(architecture, DEFAULT_PYTHON) for architecture in sorted(ARCHITECTURES)]
    return [
        f"{name}-{target.architecture}-{target.runtime}" for name in discover(ROOT / "lambdas") for target in targets
    ]


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Gather a release; gives the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tag", help="the tag that is released")
    parser.add_argument("--build", type=Path, default=ROOT / "build", metavar="FOLDER", help="holds the zips")
    parser.add_argument(
        "--changelog", type=Path, default=ROOT / "CHANGELOG.md", metavar="FILE", help="source of the notes"
    )
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build" / "release", metavar="FOLDER", help="gets it; is emptied first"
    )
    options = parser.parse_args(arguments)
    for file in gather(options.tag, options.build, options.changelog.read_text(), options.output):
        print(file.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
