"""Which wheels a target gets, and what is said when there is none."""

from __future__ import annotations

import json
import platform
import sys
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT, package_lambdas
from scripts.artifacts.errors import PackagingError
from scripts.artifacts.functions import load
from scripts.artifacts.targets import Target, lambda_target, local_target
from scripts.artifacts.wheels import fetch, pins_for

if TYPE_CHECKING:
    from tests.tools.artifacts.conftest import Workshop

ARM = lambda_target("arm64", "3.13")
INTEL = lambda_target("x86_64", "3.13")
MAC = Target(
    architecture="arm64",
    python="3.13",
    platforms=("macosx_14_0_arm64", "macosx_11_0_arm64"),
    system="darwin",
    folder="local",
    description="a Mac",
)
HASH = "--hash=sha256:" + "0" * 64


def chosen(workshop: Workshop, target: Target, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of the only wheel that a function gets."""
    for name, value in workshop.environ().items():
        monkeypatch.setenv(name, value)
    work = workshop.root / f"work-{target.artifact('f')}"
    work.mkdir()
    (wheel,) = fetch(load(workshop.source, "f"), target, workshop.root / "cache", work)
    return wheel.path.name


@pytest.mark.parametrize(
    ("target", "offered", "expected"),
    [
        (ARM, ["cp313-cp313-manylinux_2_28_aarch64", "cp313-cp313-manylinux_2_28_x86_64"], 0),
        (INTEL, ["cp313-cp313-manylinux_2_28_aarch64", "cp313-cp313-manylinux_2_28_x86_64"], 1),
        (INTEL, ["cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-manylinux_2_34_x86_64"], 1),
        (INTEL, ["cp313-cp313-manylinux_2_35_x86_64", "cp313-cp313-manylinux2014_x86_64"], 1),
        (INTEL, ["cp313-cp313-musllinux_1_2_x86_64", "cp311-abi3-manylinux_2_28_x86_64"], 1),
        (
            INTEL,
            ["cp311-cp311-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_x86_64", "py3-none-any"],
            2,
        ),
        (INTEL, ["py3-none-any", "cp313-cp313-manylinux_2_28_x86_64"], 1),
        (MAC, ["cp313-cp313-macosx_15_0_arm64", "cp313-cp313-macosx_11_0_arm64"], 1),
        (MAC, ["cp313-cp313-manylinux_2_28_aarch64", "cp313-cp313-macosx_14_0_arm64"], 1),
    ],
)
def test_the_best_wheel_that_runs_on_the_target(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, target: Target, offered: list[str], expected: int
) -> None:
    hashes = [workshop.wheel("native", tag=tag).split()[1] for tag in offered]
    workshop.function("f", f"native==1.0 {' '.join(hashes)}\n")
    assert chosen(workshop, target, monkeypatch) == f"native-1.0-{offered[expected]}.whl"


def test_a_wheel_in_the_cache_that_another_target_got_does_not_hide_a_better_one(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = ("cp312-abi3-manylinux_2_28_x86_64", "cp313-abi3-manylinux_2_28_x86_64")
    workshop.function("f", "native==1.0 " + " ".join(workshop.wheel("native", tag=tag).split()[1] for tag in tags))
    assert tags[0] in chosen(workshop, lambda_target("x86_64", "3.12"), monkeypatch)
    assert tags[1] in chosen(workshop, INTEL, monkeypatch)


@pytest.mark.parametrize(
    ("marker", "targets"),
    [
        ("python_version < '3.12'", ""),  # true for the oldest interpreter that runs the tool
        ("python_full_version >= '3.13'", "arm intel mac"),
        ("sys_platform == 'linux'", "arm intel"),
        ("sys_platform == 'darwin'", "mac"),
        ("sys_platform == 'win32'", ""),
        ("platform_machine == 'aarch64'", "arm"),
        ("platform_machine == 'arm64'", "mac"),
        ("platform_machine == 'x86_64' and platform_system == 'Linux'", "intel"),
        ("platform_python_implementation != 'CPython'", ""),
        ("implementation_name == 'cpython' and os_name == 'posix'", "arm intel mac"),
        ("extra == 'all'", ""),
    ],
)
def test_markers_are_those_of_the_target(marker: str, targets: str) -> None:
    lock = f"always==1 {HASH}\nsometimes==2 ; {marker} \\\n    {HASH}\n"
    asked = {"arm": ARM, "intel": INTEL, "mac": MAC}
    got = {name for name, target in asked.items() if "sometimes" in {pin.name for pin in pins_for(lock, target)}}
    assert got == set(targets.split())


def test_markers_decide_what_is_in_the_zip(workshop: Workshop) -> None:
    locks = [
        workshop.wheel(name).replace(" --hash", f" ; {marker} --hash")
        for name, marker in (
            ("running", f"python_version == '3.{sys.version_info.minor}'"),
            ("target", "python_version == '3.12'"),
            ("arm", "platform_machine == 'aarch64'"),
        )
    ]
    workshop.function("f", "".join(locks))
    workshop.run("--python", "3.12")
    expected = {"target", "running"} if sys.version_info.minor == 12 else {"target"}
    for architecture, more in (("x86_64", set()), ("arm64", {"arm"})):
        with workshop.zip(f"f-{architecture}-python3.12") as archive:
            assert {name.split("/")[0] for name in archive.namelist() if "-" not in name} == {"f"} | expected | more


def test_locks_as_the_lockers_write_them_are_read() -> None:
    lock = (ROOT / "lambdas/process_image/requirements.txt").read_text()
    pins = pins_for(f"# made by a tool\n\n{lock}", ARM)
    assert [pin.name for pin in pins] == sorted(pin.name for pin in pins)
    assert {"pillow", "aws-lambda-powertools"} <= {pin.name for pin in pins}
    assert all(len(digest) == 64 for pin in pins for digest in pin.hashes)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("pkg==1.0", "without --hash=sha256"),
        (f"pkg==1.0 --hash=md5:{'0' * 32}", "without --hash=sha256"),
        (f"pkg>=1.0 {HASH}", "not pinned"),
        (f"pkg==1.* {HASH}", "not pinned"),
        (f"pkg {HASH}", "not pinned"),
        (f"pkg @ file:///pkg.whl {HASH}", "not pinned"),
        ("-r other.txt", "no pinned package"),
        (f"pkg==1.0 {HASH}\npkg==2.0 {HASH}", "pins pkg twice"),
    ],
)
def test_a_lock_that_leaves_anything_open_is_refused(line: str, complaint: str) -> None:
    with pytest.raises(PackagingError, match=complaint):
        pins_for(line, ARM)


def test_a_missing_wheel_is_explained(workshop: Workshop) -> None:
    workshop.wheel("native", "0.9", "cp313-cp313-manylinux_2_28_aarch64")
    workshop.wheel("native", "1.1", "cp313-cp313-manylinux_2_28_aarch64")
    lock = workshop.wheel("native", "1.0", "cp313-cp313-manylinux_2_28_x86_64")
    workshop.function("paint", workshop.wheel("pure") + lock)
    done = workshop.run(expect=1)
    assert "native 1.0, which paint needs, has no wheel for Linux on arm64" in done.stderr
    assert "Python 3.13" in done.stderr
    assert "Versions with a wheel for it: 0.9, 1.1." in done.stderr
    assert "What to do: ask for a version that has one in paint/requirements.in" in done.stderr
    assert "Traceback" not in done.stderr
    assert workshop.manifest() == {}
    workshop.run("--arch", "x86_64")
    assert set(workshop.manifest()) == {"paint-x86_64-python3.13"}


def test_a_wheel_with_other_bytes_than_the_locked_ones_is_refused(greeter: Workshop) -> None:
    greeter.wheel("salutation", files={"salutation/__init__.py": "import os\n"})
    done = greeter.run("--arch", "arm64", expect=1)
    assert "not one that its lock admits" in done.stderr
    assert "salutation" in done.stderr
    assert greeter.manifest() == {}


def test_an_index_out_of_reach_is_told_from_a_missing_wheel(greeter: Workshop) -> None:
    greeter.environment.update(
        PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1"
    )
    done = greeter.run("--arch", "arm64", expect=1)
    assert "the package index cannot be reached" in done.stderr
    assert "salutation==1.0" in done.stderr


def test_this_machine_is_a_target() -> None:
    target = local_target()
    assert target.python == f"3.{sys.version_info.minor}"
    assert target.architecture == {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    assert target.system == sys.platform


def test_zips_that_lambda_cannot_run_lie_apart(greeter: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in greeter.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("scripts.artifacts.targets.os.confstr", lambda _: "glibc 2.31")
    assert package_lambdas.main(greeter.command("--local")[2:]) == 0
    assert greeter.manifest() == {}
    manifest = json.loads((greeter.output / "local" / "manifest.json").read_text())
    assert set(manifest) == {local_target().artifact("greet")}
    with pytest.raises(SystemExit):
        package_lambdas.main(greeter.command("--local", "--arch", "arm64")[2:])


def test_a_cpu_that_lambda_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.artifacts.targets.platform.machine", lambda: "riscv64")
    with pytest.raises(PackagingError, match="riscv64"):
        local_target()
