"""The wheel, installed outside the repository."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*build, "--no-build-isolation", "--wheel-dir", folder, ROOT / "cli"], check=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment that has its dependencies only.

    The dependencies are links to the packages of the development environment.
    """
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    for needed in needed_by("darkroom"):
        for top in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            (packages / top).symlink_to(str(needed.locate_file(top)))
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "install",
        "--quiet",
    ]
    subprocess.run([*install, "--disable-pip-version-check", "--no-deps", "--no-index", wheel], check=True)
    return folder / "bin" / "darkroom"


def needed_by(name: str) -> list[Distribution]:
    """Return the installed distributions that a distribution requires, directly and indirectly."""
    found: dict[str, Distribution] = {}
    names = [name]
    while names:
        for line in distribution(names.pop()).requires or ():
            requirement = Requirement(line)
            if requirement.name not in found and (not requirement.marker or requirement.marker.evaluate({"extra": ""})):
                found[requirement.name] = distribution(requirement.name)
                names.append(requirement.name)
    return list(found.values())


READ_ALL = """
import importlib, pkgutil, darkroom, reconcile
from pathlib import Path
from darkroom.files import read_json
from darkroom.pricing import load_prices

for module in pkgutil.iter_modules(darkroom.__path__, "darkroom."):
    importlib.import_module(module.name)
assert load_prices().date
assert read_json("events/object_created/example.json")["detail-type"] == "Object Created"
assert read_json("events/image_processed/example.json")["source"] == "darkroom"
print(Path(darkroom.__file__).parent, Path(reconcile.__file__).parent, sep="\\n")
"""


def run(program: Path, *arguments: str, cwd: Path) -> str:
    ended = subprocess.run([program, *arguments], cwd=cwd, env={}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_installed_command_runs(command: Path, tmp_path: Path) -> None:
    assert run(command, "--version", cwd=tmp_path).startswith("darkroom ")
    assert "Usage: darkroom " in run(command, "--help", cwd=tmp_path)
    assert "--repair" in run(command, "reconcile", "--help", cwd=tmp_path)


def test_every_module_and_file_is_in_the_wheel(command: Path, tmp_path: Path) -> None:
    environment = command.parents[1]
    places = run(command.with_name("python"), "-c", READ_ALL, cwd=tmp_path).splitlines()
    assert [environment in Path(place).parents for place in places] == [True, True]


def test_the_wheel_has_no_tools_and_no_tests(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"darkroom", "darkroom_shared", "reconcile"}
