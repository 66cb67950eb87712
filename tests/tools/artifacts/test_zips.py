"""Content of the zips, and that their bytes depend on it alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts import ROOT
from scripts.artifacts.archive import Entry, write_zip

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.artifacts.conftest import Workshop

KEY = "greet-x86_64-python3.13"
PARTS = ("one", "two")


def test_zip_depends_on_content_alone(greeter: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the bytes would depend on this machine's zlib")

    monkeypatch.setattr(zlib, "compressobj", refuse)
    monkeypatch.setattr(zlib, "compress", refuse)
    handler = greeter.source / "greet" / "handler.py"
    handler.chmod(0o600)
    os.utime(handler, (1, 1))
    greeter.run("--arch", "x86_64")
    with greeter.zip(KEY) as archive:
        infos = archive.infolist()
    names = ["greet/__init__.py", "greet/handler.py", "salutation-1.0.dist-info/METADATA", "salutation/__init__.py"]
    assert [info.filename for info in infos] == names
    for info in infos:
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert (info.external_attr >> 16, info.create_system, info.create_version) == (0o100644, 3, 20)
        assert (info.compress_type, info.extra, info.comment) == (zipfile.ZIP_DEFLATED, b"", b"")
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tqq", greeter.output / f"{KEY}.zip"], check=True)


def test_files_that_do_not_run_stay_out(greeter: Workshop) -> None:
    stray = ["README.md", "requirements.in", "pyproject.toml", "tests/test_it.py", "__pycache__/x.pyc"]
    stray += [".env", ".idea/x.xml", "handler.py~", "handler.pyi", "py.typed"]
    data = ["words/en.json", "sub/module.py"]
    greeter.package("greet", dict.fromkeys(stray + data, "x"))
    (greeter.source / "greet" / ".venv").symlink_to(greeter.root)
    greeter.run("--arch", "x86_64")
    own = {name.removeprefix("greet/") for name in greeter.names(KEY) if name.startswith("greet/")}
    assert own == {"__init__.py", "handler.py", *data}


def test_wheel_is_reduced_to_what_runs(workshop: Workshop) -> None:
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
        "../../outside.py": "",
    }
    moved = {"pkg-1.0.data/purelib/pure.py": "", "pkg-1.0.data/platlib/native.py": ""}
    workshop.function("greet", workshop.wheel("pkg", files={**kept, **dropped, **moved}))
    workshop.run("--arch", "x86_64")
    paths = {path for path in workshop.names(KEY) if not path.startswith("greet/")}
    assert not [*workshop.root.rglob("outside.py")]
    assert paths == {*kept, "pure.py", "native.py", "pkg-1.0.dist-info/METADATA"}


def test_programs_stay_executable(workshop: Workshop) -> None:
    files = {"tool/__init__.py": "", "tool/run": "#!/bin/sh\n"}
    folder = workshop.function("greet", workshop.wheel("tool", files=files, executable=["tool/run"]), {"own": "x"})
    (folder / "own").chmod(0o700)
    workshop.run("--arch", "x86_64")
    with workshop.zip(KEY) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert {name for name, mode in modes.items() if mode == 0o100755} == {"greet/own", "tool/run"}
    assert set(modes.values()) == {0o100755, 0o100644}


@pytest.mark.parametrize("link", ["greet/link.py", "greet/folder", "other"])
def test_symbolic_links_are_refused(greeter: Workshop, link: str) -> None:
    target = greeter.root / "elsewhere"
    target.mkdir()
    (target / "handler.py").write_text("")
    (greeter.source / link).symlink_to(target / "handler.py" if link.endswith(".py") else target)
    error = greeter.run("--arch", "x86_64", expect=1).err
    assert f"{greeter.source / link} is a symbolic link" in error
    assert "Copy the file" in error


def test_shared_packages_go_where_imported(workshop: Workshop) -> None:
    workshop.package("shared", {"__init__.py": "", "deep/keys.py": "from common import x\n", "README.md": "x"})
    workshop.package("common", {"__init__.py": "x = 1\n"})
    workshop.package("unused", {"__init__.py": ""})
    workshop.function("one", files={"handler.py": "def handler(e, c):\n    from shared.deep import keys\n"})
    workshop.function("two", files={"handler.py": "import common.x as unused\n"})
    workshop.function("three", files={"handler.py": "from .shared import unused\nimport one\n"})
    workshop.run("--arch", "x86_64")
    packages = {
        name: {path.partition("/")[0] for path in workshop.names(f"{name}-x86_64-python3.13")} - {name}
        for name in ("one", "two", "three")
    }
    assert packages == {"one": {"shared", "common"}, "two": {"common"}, "three": set()}
    assert "shared/deep/keys.py" in workshop.names("one-x86_64-python3.13")
    (workshop.source / "common" / "__init__.py").write_text("x = 2\n")
    assert re.findall(r"^(\w+)-x86.* built$", workshop.run("--arch", "x86_64").out, re.MULTILINE) == ["one", "two"]


def test_incomplete_function_is_refused(workshop: Workshop) -> None:
    broken = workshop.function("greet", files={"broken.py": "def ("}) / "broken.py"
    assert "greet/broken.py is not valid Python" in workshop.run(expect=1).err
    broken.unlink()
    (workshop.source / "greet" / "requirements.txt").unlink()
    assert "greet has no requirements.txt" in workshop.run(expect=1).err


def test_checkout_on_windows_gives_the_same_zip(workshop: Workshop) -> None:
    git = ("git", "-C", str(ROOT))
    sources = ("lambdas/reconcile", "lambdas/darkroom_shared")
    listed = subprocess.run([*git, "ls-files", *sources], capture_output=True, text=True, check=True).stdout.split()
    zips = []
    for setting in ("core.autocrlf=false", "core.autocrlf=true", "core.eol=crlf"):
        shutil.rmtree(workshop.source, ignore_errors=True)
        checkout = ("-c", setting, "checkout-index", f"--prefix={workshop.root}/", "--", *listed)
        subprocess.run([*git, *checkout], check=True)
        workshop.run("reconcile", "--arch", "x86_64")
        zips.append((workshop.output / "reconcile-x86_64-python3.13.zip").read_bytes())
    assert zips == zips[:1] * 3


def test_every_tracked_file_has_its_kind() -> None:
    """Git knows for each file that it is text with LF or binary, for all settings of a checkout."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--eol"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kinds = {line.partition("\t")[2]: line.partition("\t")[0].split(maxsplit=2) for line in listed}
    wrong = {
        path: kind
        for path, kind in kinds.items()
        if kind[0] not in {"i/lf", "i/none", "i/-text"}
        or kind[2].strip() not in {"attr/text=auto eol=lf", "attr/-text"}
    }
    assert wrong == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20).map(lambda name: f"é/{name}.py"),
        st.binary(max_size=1000),
        max_size=10,
    )
)
def test_any_files_can_be_read_back(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = tmp_path / "x.zip"
    write_zip(path, [Entry(name, content) for name, content in files.items()])
    with zipfile.ZipFile(path) as archive:
        assert {info.filename: archive.read(info) for info in archive.infolist()} == files


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (os.urandom(51 << 20), "has 51.0 MiB, and Lambda accepts 50 MiB by direct upload"),
        (bytes(251 << 20), "has 251.0 MiB, and Lambda accepts 250 MiB unpacked"),
    ],
    ids=["zip", "unpacked"],
)
def test_zip_above_lambdas_limit_is_refused(workshop: Workshop, content: bytes, complaint: str) -> None:
    (workshop.function("greet") / "large").write_bytes(content)
    error = workshop.run("--arch", "x86_64", expect=1).err
    assert f"{KEY}.zip {complaint}. Leave out optional parts (`parts` in package.toml)" in error
    assert ("deploy it from S3" in error) == ("direct upload" in error)
    assert workshop.manifest() == {}


def test_package_toml_selects_parts_and_files(workshop: Workshop) -> None:
    lock = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/web/a.js": "", "pkg/web/b.js": ""})
    folder = workshop.function("greet", lock, {f"requirements-{name}.txt": workshop.wheel(name) for name in PARTS})

    def contents() -> list[str]:
        workshop.run("--arch", "x86_64")
        return [name for name in workshop.names(KEY) if not name.startswith("greet/") and "dist-info" not in name]

    assert contents() == ["pkg/__init__.py", "pkg/web/a.js", "pkg/web/b.js"]
    exclude = '[[exclude]]\npaths = ["pkg/web/*"]\nexcept = ["pkg/web/b.js"]\nreason = "There is no web."\n'
    (folder / "package.toml").write_text(f'parts = ["two"]\n{exclude}')
    assert contents() == ["pkg/__init__.py", "pkg/web/b.js", "two/__init__.py"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('parts = ["one", "tow"]\n', "has no requirements-tow.txt"),
        ('parts = "one"\n', "`parts` is 'one'"),
        ('[[exclude]]\npaths = ["pkg/old/*"]\nreason = "r"\n', "excludes pkg/old/*, but no file matches"),
        ('[[exclude]]\npaths = ["pkg/*"]\n', "reason"),
        ('[[exclude]]\npaths = ["pkg/*"]\nreason = ""\n', "`reason` is a text"),
        ('[[exclude]]\npaths = "pkg/*"\nreason = "r"\n', "`paths` and `except` are lists of texts"),
        ('[[exclude]]\npaths = ["pkg/*"]\nreason = "r"\nexcpet = []\n', "excpet"),
        ('exclude = "pkg/*"\n', "package.toml is not valid"),
        ('include = ["x"]\n', "['include'] is unknown"),
        ("[[exclude\n", "package.toml is not valid"),
    ],
)
def test_mistakes_in_package_toml_are_explained(workshop: Workshop, text: str, complaint: str) -> None:
    locks = {f"requirements-{name}.txt": workshop.wheel(name) for name in PARTS}
    workshop.function("lean", workshop.wheel("pkg"), {"package.toml": text, **locks})
    assert complaint in workshop.run("--arch", "arm64", expect=1).err
