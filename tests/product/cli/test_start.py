"""Start of the installed command: where it finds its code, and where it finds the pipeline."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkroom.cli import main

if TYPE_CHECKING:
    from darkroom.resources import Resources

SCRIPT = Path(sys.executable).with_name("darkroom")
OUTPUTS = {"notifications_topic_arn": {"value": "arn:aws:sns:eu-central-1:123456789012:unit-notifications"}}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Create a folder with modules that the command imports, each of which would leave a trace."""
    for name in ("copy", "typer", "boto3", "rich", "reconcile", "darkroom", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'a').write(__name__)\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("arguments", [["--version"], ["cost", "--help"]])
def test_files_of_the_current_folder_are_not_executed(hostile: Path, arguments: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run([SCRIPT, *arguments], cwd=hostile, env=environment, capture_output=True, check=False)
    assert not (hostile / "executed").exists()
    assert ended.returncode == 0, ended.stderr


def test_the_package_is_not_executable(hostile: Path, tmp_path: Path) -> None:
    """`python -m` puts the current folder first: no such way into the command exists."""
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "darkroom", "--version"], cwd=hostile, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "cannot be directly executed" in ended.stderr


def test_version_is_the_wheels(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"darkroom {version('darkroom')}\n"


@pytest.mark.parametrize("place", ["file", "stdin"])
def test_outputs_find_name_and_region(
    resources: Resources, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_NAME", "another")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert main(["list"]) == 1
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(OUTPUTS), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert main(["--outputs", str(path) if place == "file" else "-", "list"]) == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", "no JSON", '{"notifications_topic_arn": {"value": "arn"}}'])
def test_other_outputs_are_an_error(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "outputs.json").write_text(text, encoding="utf-8")
    assert main(["--outputs", str(tmp_path / "outputs.json"), "list"]) == 1
    assert "run `terraform output -json`" in capsys.readouterr().err
