"""A release holds every zip with its bill of materials, checksums that fit, and the changelog's own words."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.artifacts.functions import discover
from scripts.artifacts.manifest import Artifact
from scripts.gather_release import gather, main, notes
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = (
    "# Changelog\n\nFor users.\n\n## Unreleased\n\n- Soon.\n\n## 1.2.0\n\n- New.\n- Better.\n\n## 1.1.0\n\n- Old.\n"
)
NAMES = [f"{name}-{arch}-python3.13" for name in discover(ROOT / "lambdas") for arch in ("arm64", "x86_64")]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    manifest = {}
    for name in [*NAMES, "process_image-x86_64-python3.12"]:
        content = name.encode()
        (folder / f"{name}.zip").write_bytes(content)
        (folder / f"{name}.cdx.json").write_text("{}")
        manifest[name] = {
            "path": f"{name}.zip",
            "sbom": f"{name}.cdx.json",
            "sha256": hashlib.sha256(content).hexdigest(),
            **dict.fromkeys(Artifact.__required_keys__ - {"path", "sbom", "sha256"}, ""),
        }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_release_has_exactly_the_zips_for_lambda(build: Path, tmp_path: Path) -> None:
    (tmp_path / "release" / "files").mkdir(parents=True)
    (tmp_path / "release" / "files" / "of the last time").touch()
    gathered = gather("v1.2.0", build, CHANGELOG, tmp_path / "release")
    expected = {f"{name}.{kind}" for name in NAMES for kind in ("zip", "cdx.json")} | {"manifest.json", "SHA256SUMS"}
    assert {file.name for file in gathered} == expected
    assert {file.name for file in (tmp_path / "release" / "files").iterdir()} == expected
    assert set(json.loads((tmp_path / "release" / "files" / "manifest.json").read_text())) == set(NAMES)


def test_the_checksums_fit_and_show_damage(build: Path, tmp_path: Path) -> None:
    gather("v1.2.0", build, CHANGELOG, tmp_path / "release")
    files = tmp_path / "release" / "files"
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=files, capture_output=True, check=False).returncode == 0
    (files / f"{NAMES[0]}.zip").write_bytes(b"something else")
    assert subprocess.run(check, cwd=files, capture_output=True, check=False).returncode == 1


def test_a_damaged_zip_is_not_released(build: Path, tmp_path: Path) -> None:
    (build / f"{NAMES[-1]}.zip").write_bytes(b"something else")
    with pytest.raises(ToolError, match=f"{NAMES[-1]}.zip differs from the manifest"):
        gather("v1.2.0", build, CHANGELOG, tmp_path / "release")


def test_missing_zip_is_reported(build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((build / "manifest.json").read_text())
    del manifest[NAMES[0]]
    (build / "manifest.json").write_text(json.dumps(manifest))
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(CHANGELOG)
    options = ["--build", str(build), "--changelog", str(changelog), "--output", str(tmp_path / "release")]
    assert main(["v1.2.0", *options]) == 1
    assert f"error: {NAMES[0]} is not built: run `make package`." in capsys.readouterr().err


def test_notes_are_the_changelogs() -> None:
    assert notes("v1.2.0", CHANGELOG) == "- New.\n- Better.\n"
    assert notes("v1.1.0", CHANGELOG) == "- Old.\n"


@pytest.mark.parametrize("tag", ["v1.3.0", "v1.2", "1.2.0", "v1.2.0-rc.1", "Unreleased", "v01x"])
def test_tag_without_a_changelog_section_is_refused(tag: str) -> None:
    with pytest.raises(ToolError):
        notes(tag, CHANGELOG)
