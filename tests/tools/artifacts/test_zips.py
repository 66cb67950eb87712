"""What is in a zip, and that its bytes follow from that alone."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts import package_lambdas
from scripts.artifacts.archive import Entry, combine, wheel_entries, write_zip

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from tests.tools.artifacts.conftest import Workshop

KEY = "greet-x86_64-python3.13"
INFO = "salutation-1.0.dist-info"


def test_one_zip_for_each_function_architecture_and_python(greeter: Workshop) -> None:
    greeter.function("again", greeter.wheel("other"))
    greeter.run("--python", "3.13", "3.12")
    assert set(greeter.manifest()) == {
        f"{function}-{architecture}-python{python}"
        for function in ("greet", "again")
        for architecture in ("arm64", "x86_64")
        for python in ("3.12", "3.13")
    }


def test_the_manifest_says_what_terraform_needs(greeter: Workshop) -> None:
    greeter.run("--arch", "arm64")
    (entry,) = greeter.manifest().values()
    assert entry["path"] == "greet-arm64-python3.13.zip"
    assert (entry["function"], entry["architecture"], entry["runtime"]) == ("greet", "arm64", "python3.13")


def test_the_zip_holds_the_function_as_a_package_beside_its_dependencies(greeter: Workshop) -> None:
    greeter.run("--arch", "x86_64")
    with greeter.zip(KEY) as archive:
        names = archive.namelist()
    assert names == [
        "greet/__init__.py",
        "greet/handler.py",
        f"{INFO}/METADATA",
        "salutation/__init__.py",
    ]


def test_what_the_function_does_not_run_stays_out(greeter: Workshop) -> None:
    folder = greeter.source / "greet"
    stray = ["README.md", "requirements.in", "pyproject.toml", "tests/test_it.py", "__pycache__/x.pyc"]
    stray += [".env", ".idea/x.xml", "handler.py~", "handler.pyi", "py.typed"]
    data = ["words/en.json", "sub/module.py"]
    greeter.function("greet", (folder / "requirements.txt").read_text(), dict.fromkeys(stray + data, "x"))
    greeter.run("--arch", "x86_64")
    with greeter.zip(KEY) as archive:
        own = {name for name in archive.namelist() if name.startswith("greet/")}
    assert own == {"greet/__init__.py", "greet/handler.py", *(f"greet/{name}" for name in data)}


def test_of_a_wheel_only_what_runs_and_what_the_licence_asks_for(workshop: Workshop) -> None:
    kept = {
        "pkg/__init__.py": "",
        "pkg/testing.py": "",
        "pkg-1.0.dist-info/licenses/LICENSE": "MIT",
        "pkg-1.0.dist-info/LICENCE.txt": "MIT",
        "pkg-1.0.dist-info/entry_points.txt": "[group]\n",
        "pkg-1.0.dist-info/sboms/pkg.cdx.json": "{}",
    }
    dropped = {
        "pkg/py.typed": "",
        "pkg/__init__.pyi": "",
        "pkg/__pycache__/x.cpython-313.pyc": "",
        "pkg/tests/test_pkg.py": "",
        "pkg-1.0.dist-info/INSTALLER": "pip",
        "pkg-1.0.dist-info/REQUESTED": "",
        "pkg-1.0.dist-info/direct_url.json": "{}",
        "pkg-1.0.dist-info/top_level.txt": "pkg",
        "pkg-1.0.data/scripts/pkg": "#!python",
        "pkg-1.0.data/headers/pkg.h": "",
        "pkg-1.0.data/data/share/doc": "",
    }
    moved = {"pkg-1.0.data/purelib/pure.py": "", "pkg-1.0.data/platlib/native.py": ""}
    workshop.wheel("pkg", files={**kept, **dropped, **moved})
    (wheel,) = workshop.index.iterdir()
    paths = {entry.path for entry in wheel_entries(wheel)}
    assert paths == {*kept, "pure.py", "native.py", "pkg-1.0.dist-info/METADATA"}


def test_dates_modes_and_order_are_fixed(greeter: Workshop) -> None:
    handler = greeter.source / "greet" / "handler.py"
    handler.chmod(0o700)
    os.utime(handler, (1, 1))
    greeter.run("--arch", "x86_64")
    with greeter.zip(KEY) as archive:
        infos = archive.infolist()
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert {(info.create_system, info.create_version, info.extra, info.comment) for info in infos} == {
        (3, 20, b"", b"")
    }
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)


def test_programs_in_a_wheel_stay_executable(workshop: Workshop) -> None:
    path = workshop.root / "tool-1.0-py3-none-any.whl"
    program = zipfile.ZipInfo("tool/bin/run")
    program.external_attr = 0o100775 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(program, "#!/bin/sh\n")
        archive.writestr("tool/__init__.py", "")
    write_zip(workshop.root / "x.zip", combine([("tool", wheel_entries(path))], []))
    with zipfile.ZipFile(workshop.root / "x.zip") as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes == {"tool/bin/run": 0o100755, "tool/__init__.py": 0o100644}


def test_compressed_bytes_are_those_of_the_wheel(greeter: Workshop) -> None:
    """Whoever made the wheel compressed them; another zlib, or another level, would give other bytes."""
    text = "".join(f"VALUE_{number} = {number * number}\n" for number in range(2000))
    wheel = greeter.index / "salutation-1.0-py3-none-any.whl"
    streams = set()
    for level in (1, 9):
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
            archive.writestr("salutation/__init__.py", text)
        (entry,) = wheel_entries(wheel)
        assert zlib.decompress(entry.data, -zlib.MAX_WBITS).decode() == text
        assert entry.data in wheel.read_bytes()
        streams.add(entry.data)
    assert len(streams) == 2


def test_nothing_is_compressed_here(greeter: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the bytes would depend on this machine's zlib")

    for name, value in greeter.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(zlib, "compressobj", refuse)
    monkeypatch.setattr(zlib, "compress", refuse)
    assert package_lambdas.main(greeter.command("--arch", "x86_64")[2:]) == 0
    assert KEY in greeter.manifest()


def test_a_wheel_written_as_a_stream_is_read_too(workshop: Workshop) -> None:
    """Such a wheel tells the sizes after the data, and in its directory."""
    path = workshop.root / "streamed-1.0-py3-none-any.whl"
    with path.open("wb") as file, zipfile.ZipFile(Stream(file), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("streamed.py", "x = 1\n" * 100)
    assert struct.unpack("<H", path.read_bytes()[6:8])[0] & 0x08
    (entry,) = wheel_entries(path)
    write_zip(workshop.root / "x.zip", [entry])
    with zipfile.ZipFile(workshop.root / "x.zip") as archive:
        assert archive.read("streamed.py") == b"x = 1\n" * 100


class Stream:
    """A file that cannot be gone back in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes, /) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def test_other_compressions_which_lambda_does_not_read_are_undone(workshop: Workshop) -> None:
    workshop.wheel("pkg", compression=zipfile.ZIP_LZMA)
    (wheel,) = workshop.index.iterdir()
    assert {entry.method for entry in wheel_entries(wheel)} == {zipfile.ZIP_STORED}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20).map(lambda name: f"é/{name}.py"),
        st.binary(max_size=1000),
        max_size=10,
    )
)
def test_any_files_can_be_read_back_by_any_unzip(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = tmp_path / "x.zip"
    write_zip(path, combine([("x", [Entry.stored(name, content) for name, content in files.items()])], []))
    with zipfile.ZipFile(path) as archive:
        assert {info.filename: archive.read(info) for info in archive.infolist()} == files


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_finds_no_fault(greeter: Workshop) -> None:
    greeter.run("--arch", "x86_64")
    archive = greeter.output / f"{KEY}.zip"
    subprocess.run(["unzip", "-tqq", archive], check=True)


def test_an_excluded_path_stays_out(workshop: Workshop) -> None:
    lock = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/web/a.js": "", "pkg/web/b.js": ""})
    settings = '[[exclude]]\npaths = ["pkg/web/*"]\nexcept = ["pkg/web/b.js"]\nreason = "There is no web."\n'
    workshop.function("lean", lock, {"package.toml": settings})
    workshop.run("--arch", "arm64")
    with workshop.zip("lean-arm64-python3.13") as archive:
        assert [name for name in archive.namelist() if name.startswith("pkg/")] == [
            "pkg/__init__.py",
            "pkg/web/b.js",
        ]


def test_an_optional_part_is_in_the_zip_if_package_toml_says_so(workshop: Workshop) -> None:
    locks = {f"requirements-{name}.txt": workshop.wheel(name) for name in ("one", "two")}
    workshop.function("lean", workshop.wheel("pkg"), locks)

    def packages() -> set[str]:
        workshop.run("--arch", "arm64")
        with workshop.zip("lean-arm64-python3.13") as archive:
            return {name.partition("/")[0] for name in archive.namelist() if name.endswith("/__init__.py")}

    assert packages() == {"lean", "pkg"}
    (workshop.source / "lean" / "package.toml").write_text('parts = ["two"]\n')
    assert packages() == {"lean", "pkg", "two"}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ('parts = ["one", "tow"]\n', "there are: one, two"),
        ('parts = "one"\n', "there are: one, two"),
        ('[[exclude]]\npaths = ["pkg/old/*"]\nreason = "r"\n', "excludes what is not there: pkg/old/*"),
        ('[[exclude]]\npaths = ["pkg/*"]\n', "has a `reason`"),
        ('[[exclude]]\npaths = "pkg/*"\nreason = "r"\n', "has a list `paths`"),
        ('[[exclude]]\npaths = ["pkg/*"]\nreason = "r"\nexcpet = []\n', "excpet"),
        ('include = ["x"]\n', "nothing else"),
        ("[[exclude\n", "package.toml"),
    ],
)
def test_a_mistake_in_package_toml_is_explained(workshop: Workshop, settings: str, complaint: str) -> None:
    locks = {f"requirements-{name}.txt": workshop.wheel(name) for name in ("one", "two")}
    workshop.function("lean", workshop.wheel("pkg"), {"package.toml": settings, **locks})
    assert complaint in workshop.run("--arch", "arm64", expect=1).stderr


def test_two_packages_with_different_files_of_one_path_are_refused(workshop: Workshop) -> None:
    lock = workshop.wheel("one", files={"shared/__init__.py": "", "shared/x.py": "1"})
    lock += workshop.wheel("two", files={"shared/__init__.py": "", "shared/x.py": "2"})
    workshop.function("clash", lock)
    done = workshop.run("--arch", "arm64", expect=1)
    assert "one==1.0 and two==1.0 both hold shared/x.py" in done.stderr


def test_a_path_that_leads_out_of_the_zip_is_refused(workshop: Workshop) -> None:
    workshop.function("evil", workshop.wheel("pkg", files={"pkg/__init__.py": "", "../../outside.py": ""}))
    assert "leads out of the zip" in workshop.run("--arch", "arm64", expect=1).stderr
