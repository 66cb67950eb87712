"""The wheels that a target gets, and the message if there is none."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.artifacts import manifest
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
    }
    lines = [workshop.wheel(f"m{name}").replace(" --", f" ; {marker} --") for name, (marker, _) in markers.items()]
    workshop.function("f", "".join(lines))
    workshop.run()
    for key, target in ((ARM, "arm"), (INTEL, "intel")):
        expected = [f"m{name}" for name, (_, targets) in markers.items() if target in targets]
        assert [component["name"] for component in workshop.bill(key)["components"]] == expected


@pytest.mark.parametrize(
    ("lock", "complaint"),
    [
        ("pkg==1.0", "pkg 1.0: f/requirements.txt has no hash"),
        (f"pkg==1.0 --hash=md5:{'0' * 32}", "pkg 1.0: f/requirements.txt has no hash"),
        (f"pkg==1.0 {HASH}", "pkg 1.0: f/requirements.txt has no hash"),
        (f"pkg>=1.0 {HASH}", "pkg 2.0: f/requirements.txt has no hash"),
        (f"pkg==1.0 {HASH}\npkg==2.0 {HASH}", "your requirements are unsatisfiable"),
        (f"other @ file:///other.whl {HASH}", "Distribution not found"),
        ("!", "Unexpected '!'"),
    ],
)
def test_lock_that_leaves_a_choice_is_refused(workshop: Workshop, lock: str, complaint: str) -> None:
    for version in ("1.0", "2.0"):
        workshop.wheel("pkg", version)
    workshop.function("f", f"{lock}\n")
    error = " ".join(workshop.run("--arch", "arm64", expect=1).err.split())
    assert complaint in error
    assert "run `make lock`" in error
    assert workshop.manifest() == {}


def test_missing_wheel_is_explained(workshop: Workshop) -> None:
    lock = workshop.wheel("native", "1.0", "cp313-cp313-manylinux_2_28_x86_64")
    workshop.function("f", workshop.wheel("pure") + lock)
    error = workshop.run(expect=1).err
    assert "the wheels of f for Python 3.13 on arm64" in error
    assert "native==1.0 has no wheels with a matching platform tag" in error
    assert workshop.manifest() == {}
    workshop.run("--arch", "x86_64")
    assert set(workshop.manifest()) == {INTEL}


def test_download_with_other_bytes_is_refused(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index states the locked hash, and serves another file."""
    lock = workshop.wheel("pkg")
    workshop.function("f", lock)
    workshop.wheel("pkg", files={"pkg.py": "import os\n"})
    name = "pkg-1.0-py3-none-any.whl"
    page = workshop.root / "links.html"
    page.write_text(f'<a href="{workshop.index.as_uri()}/{name}#sha256={lock.strip()[-64:]}">{name}</a>')
    monkeypatch.setenv("UV_FIND_LINKS", page.as_uri())
    assert "Hash mismatch" in workshop.run("--arch", "arm64", expect=1).err
    assert workshop.manifest() == {}


def test_damaged_cache_is_reported(workshop: Workshop) -> None:
    workshop.function("f", workshop.wheel("pkg"))
    workshop.run("--arch", "arm64")
    (cached,) = (workshop.root / "uv").glob("archive-*/*/pkg/__init__.py")
    cached.chmod(0o644)
    cached.write_text("damaged = True\n")
    assert "pkg==1.0: pkg/__init__.py is not what RECORD" in workshop.run("--arch", "x86_64", expect=1).err
    assert INTEL not in workshop.manifest()


@pytest.mark.parametrize("other", ["two", "f"])
def test_files_with_the_same_path_are_refused(workshop: Workshop, other: str) -> None:
    lock = workshop.wheel("one", files={"one.py": "", "f/x.py": "1"})
    if other == "two":
        lock += workshop.wheel("two", files={"two.py": "", "f/x.py": "2"})
    workshop.function("f", lock, {"x.py": "3"} if other == "f" else {})
    assert "f/x.py" in workshop.run("--arch", "arm64", expect=1).err


def test_unreachable_index_is_explained(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.function("f", workshop.wheel("pkg"))
    settings = {"NO_INDEX": "0", "FIND_LINKS": "", "DEFAULT_INDEX": "http://127.0.0.1:9/simple", "HTTP_RETRIES": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(f"UV_{name}", value)
    assert "Failed to fetch: http://127.0.0.1:9/simple/pkg/" in workshop.run("--arch", "arm64", expect=1).err


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
    assert set(manifest.read(workshop.output / "local")) == {local_target().artifact("f")}
    assert "Lambda cannot run" in workshop.run("--local", "--arch", "arm64", expect=2).err


def test_cpu_that_lambda_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.artifacts.targets.platform.machine", lambda: "riscv64")
    with pytest.raises(ToolError, match="riscv64"):
        local_target()
