"""The wheels that a target gets, and the message if there is none."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from scripts import package_lambdas
from scripts.artifacts.targets import local_target
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from tests.tools.artifacts.conftest import Workshop

ARM, INTEL = "f-arm64-python3.13", "f-x86_64-python3.13"
HASH = "--hash=sha256:" + "0" * 64


def chosen(workshop: Workshop, key: str) -> list[str]:
    """Return the file names of the wheels in a zip."""
    return [component["properties"][0]["value"] for component in workshop.bill(key)["components"]]


@pytest.mark.parametrize(
    ("arch", "offered", "expected"),
    [
        ("arm64", ["cp313-cp313-manylinux_2_28_aarch64", "cp313-cp313-manylinux_2_28_x86_64"], 0),
        ("x86_64", ["cp313-cp313-manylinux_2_28_aarch64", "cp313-cp313-manylinux_2_28_x86_64"], 1),
        ("x86_64", ["cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-manylinux_2_34_x86_64"], 1),
        ("x86_64", ["cp313-cp313-manylinux_2_35_x86_64", "cp313-cp313-manylinux2014_x86_64"], 1),
        ("x86_64", ["cp313-cp313-musllinux_1_2_x86_64", "cp311-abi3-manylinux_2_28_x86_64"], 1),
        ("x86_64", ["cp311-cp311-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_x86_64", "py3-none-any"], 2),
        ("x86_64", ["py3-none-any", "cp313-cp313-manylinux_2_28_x86_64"], 1),
    ],
)
def test_target_gets_the_best_wheel(workshop: Workshop, arch: str, offered: list[str], expected: int) -> None:
    lines = [workshop.wheel("native", tag=tag, files={"native/tag": tag}) for tag in offered]
    workshop.function("f", f"native==1.0 {' '.join(line.split()[1] for line in lines)}\n")
    workshop.run("--arch", arch)
    key = f"f-{arch}-python3.13"
    assert chosen(workshop, key) == [f"native-1.0-{offered[expected]}.whl"]
    assert workshop.bill(key)["components"][0]["hashes"][0]["content"] == lines[expected].strip()[-64:]
    with workshop.zip(key) as archive:
        assert archive.read("native/tag").decode() == offered[expected]


def test_wheel_that_is_not_locked_is_not_chosen(workshop: Workshop) -> None:
    """The index got a better wheel after the lock was written."""
    lock = workshop.wheel("native", tag="py3-none-any")
    workshop.wheel("native", tag="cp313-cp313-manylinux_2_28_x86_64")
    workshop.function("f", lock)
    workshop.run("--arch", "x86_64")
    assert chosen(workshop, INTEL) == ["native-1.0-py3-none-any.whl"]


def test_cached_wheel_does_not_hide_a_better_one(workshop: Workshop) -> None:
    tags = ("cp312-abi3-manylinux_2_28_x86_64", "cp313-abi3-manylinux_2_28_x86_64")
    workshop.function("f", "native==1.0 " + " ".join(workshop.wheel("native", tag=tag).split()[1] for tag in tags))
    for python, tag in zip(("3.12", "3.13"), tags, strict=True):
        workshop.run("--arch", "x86_64", "--python", python)
        assert chosen(workshop, f"f-x86_64-python{python}") == [f"native-1.0-{tag}.whl"]


def test_markers_are_evaluated_for_the_target(workshop: Workshop) -> None:
    markers = {
        "a": ("python_version < '3.12'", ""),  # true for the oldest interpreter that runs the tool
        "b": ("python_full_version >= '3.13'", "arm intel"),
        "c": ("sys_platform == 'linux'", "arm intel"),
        "d": ("sys_platform == 'darwin'", ""),
        "e": ("platform_machine == 'aarch64'", "arm"),
        "f": ("platform_machine == 'x86_64' and platform_system == 'Linux'", "intel"),
        "g": ("platform_python_implementation == 'PyPy'", ""),
        "h": ("os_name == 'posix' and extra != 'x'", "arm intel"),
        "i": ("implementation_name == 'cpython'", "arm intel"),
    }
    lines = [workshop.wheel(f"m{name}").replace(" --", f" ; {marker} --") for name, (marker, _) in markers.items()]
    workshop.function("f", "".join(lines))
    workshop.run()
    for key, target in ((ARM, "arm"), (INTEL, "intel")):
        expected = [f"m{name}" for name, (_, targets) in markers.items() if target in targets]
        assert [component["name"] for component in workshop.bill(key)["components"]] == expected


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("", "has no hash"),
        (f" --hash=md5:{'0' * 32}", "has no hash"),
        (f" {HASH}", "has no hash"),
        (f"\npkg==2.0 {HASH}", "your requirements are unsatisfiable"),
        (f"\nother @ file:///other.whl {HASH}", "Distribution not found"),
        ("\n!", "Unexpected '!'"),
    ],
)
def test_lock_that_leaves_a_choice_is_refused(workshop: Workshop, options: str, complaint: str) -> None:
    workshop.wheel("pkg")
    workshop.function("f", f"pkg==1.0{options}\n")
    error = " ".join(workshop.run("--arch", "arm64", expect=1).err.split())
    assert complaint in error
    assert "run `make lock`" in error


def test_version_that_is_not_locked_is_refused(workshop: Workshop) -> None:
    lock = workshop.wheel("pkg")
    workshop.wheel("pkg", "2.0")
    workshop.function("f", lock.replace("==", ">="))
    assert "pkg 2.0: f/requirements.txt has no hash" in workshop.run("--arch", "arm64", expect=1).err


def test_missing_wheel_is_explained(workshop: Workshop) -> None:
    lock = workshop.wheel("native", "1.0", "cp313-cp313-manylinux_2_28_x86_64")
    workshop.function("f", workshop.wheel("pure") + lock)
    error = workshop.run(expect=1).err
    assert "the wheels of f for Lambda (Linux, glibc 2.34, arm64), Python 3.13" in error
    assert "native==1.0 has no wheels with a matching platform tag" in error
    assert "`manylinux_2_28_x86_64`" in error
    assert (
        "Ask for a version that has a wheel in f/requirements.in and run `make lock`, or build other targets" in error
    )
    assert workshop.manifest() == {}
    workshop.run("--arch", "x86_64")
    assert set(workshop.manifest()) == {INTEL}


def test_wheel_with_other_bytes_is_refused(workshop: Workshop) -> None:
    workshop.function("f", workshop.wheel("pkg"))
    workshop.wheel("pkg", files={"pkg.py": "import os\n"})
    assert "pkg 1.0: f/requirements.txt has no hash" in workshop.run("--arch", "arm64", expect=1).err
    assert workshop.manifest() == {}


def test_wheel_changed_after_the_choice_is_refused(workshop: Workshop) -> None:
    workshop.function("f", workshop.wheel("pkg"))
    workshop.run("--arch", "arm64")
    workshop.wheel("pkg", files={"pkg.py": "import os\n"})
    (workshop.output / "manifest.json").unlink()
    shutil.rmtree(workshop.root / "uv")
    error = workshop.run("--arch", "arm64", expect=1).err
    assert "Hash mismatch for `pkg==1.0`" in error
    assert "The file is not the one that was locked" in error
    assert workshop.manifest() == {}


def test_unreachable_index_is_explained(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.function("f", workshop.wheel("pkg"))
    settings = {"NO_INDEX": "0", "FIND_LINKS": "", "DEFAULT_INDEX": "http://127.0.0.1:9/simple", "HTTP_RETRIES": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(f"UV_{name}", value)
    error = workshop.run("--arch", "arm64", expect=1).err
    assert "Failed to fetch: http://127.0.0.1:9/simple/pkg/" in error
    assert "The package index is out of reach" in error


def test_this_machine_is_a_target() -> None:
    target = local_target()
    assert target.python == f"3.{sys.version_info.minor}"
    assert target.architecture == {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


def test_zips_that_lambda_cannot_run_are_apart(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = ("cp39-abi3-macosx_11_0_arm64", f"cp39-abi3-linux_{platform.machine()}", "py3-none-any")
    lines = [workshop.wheel("native", tag=tag, files={"native/tag": tag}) for tag in tags]
    workshop.function("f", "native==1.0 " + " ".join(line.split()[1] for line in lines))
    monkeypatch.setattr("scripts.artifacts.targets.platform.libc_ver", lambda: ("glibc", "2.31"))
    workshop.run("--local")
    assert workshop.manifest() == {}
    manifest = json.loads((workshop.output / "local" / "manifest.json").read_text())
    assert set(manifest) == {local_target().artifact("f")}
    with pytest.raises(SystemExit):
        package_lambdas.main(workshop.options("--local", "--arch", "arm64"))


def test_cpu_that_lambda_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.artifacts.targets.platform.machine", lambda: "riscv64")
    with pytest.raises(ToolError, match="riscv64"):
        local_target()
