"""The command itself, as far as it goes without an emulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts import run_demo as demo
from scripts.process.entry_point import FAILED, INTERRUPTED, WRONG_USAGE

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "run_demo.py"


def test_help_shows_options_and_exit_status() -> None:
    answer = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    for text in ("IMAGE", "--keep", "--patience", "exit status", "make clean-demo"):
        assert text in answer.stdout


def test_wrong_path_fails_before_the_apply(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main([str(tmp_path / "missing.jpg"), "--directory", str(tmp_path / "demo")])
    assert status == WRONG_USAGE
    assert capsys.readouterr().err == f"error: {tmp_path}/missing.jpg does not exist.\n"
    assert not (tmp_path / "demo").exists()


def make_demo(images: str) -> str:
    """Run `make demo` with IMAGES and return what it reports."""
    made = ("-o", ".venvs/dev/.installed", "-o", ".venvs/ministack/.installed")
    return subprocess.run(
        ["make", *made, "demo", f"IMAGES={images}"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stderr


@pytest.mark.parametrize("name", ["my photos", "it's", 'a "b" $HOME $(x) `y` \\', "für 日本", "a#b;c&d", "a*"])
def test_make_passes_any_folder_on(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert f"error: no images found in the folder {folder}: " in make_demo(str(folder))


def test_make_passes_several_paths_on(tmp_path: Path) -> None:
    said = make_demo(f"'{tmp_path}/a b.jpg' {tmp_path}/c.jpg")
    assert f"error: {tmp_path}/a b.jpg does not exist. {tmp_path}/c.jpg does not exist.\n" in said


@pytest.mark.parametrize(
    ("terraform", "message"),
    [(None, "terraform is not on the PATH"), ("1.9.8", "Terraform 1.9.8 is too old: install 1.11 or newer")],
)
def test_terraform_missing_or_too_old(
    terraform: str | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if terraform:
        program = tmp_path / "terraform"
        program.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{terraform}"}}\'\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + "/bin" if terraform else str(tmp_path))
    assert demo.main(["--directory", str(tmp_path / "demo")]) == FAILED
    assert message in capsys.readouterr().err


def test_an_interruption_has_its_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_paths: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(demo, "collect", interrupted)
    assert demo.main([]) == INTERRUPTED
    assert "nothing is left running" in capsys.readouterr().err


def test_a_missing_emulator_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "x.jpg"
    picture.write_bytes(b"x")
    monkeypatch.setattr("scripts.engines.ministack.MINISTACK", tmp_path / "missing")
    monkeypatch.setattr("scripts.package_lambdas.package", lambda _: 0)
    assert demo.main([str(picture), "--directory", str(tmp_path / "demo")]) == FAILED
    assert "MiniStack is not installed: run `make setup`" in capsys.readouterr().err
