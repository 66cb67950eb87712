"""Content of the zips, and that their bytes depend on it alone."""

from __future__ import annotations

import hashlib
import os
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
INFO = "salutation-1.0.dist-info"


def own(workshop: Workshop, function: str = "greet") -> set[str]:
    """Return the paths of a function's own files in its zip."""
    names = workshop.names(f"{function}-x86_64-python3.13")
    return {name.partition("/")[2] for name in names if name.startswith(f"{function}/")}


def test_each_target_gets_a_zip(greeter: Workshop) -> None:
    greeter.function("again", greeter.wheel("other"))
    greeter.run("--python", "3.13", "3.12")
    assert set(greeter.manifest()) == {
        f"{function}-{architecture}-python{python}"
        for function in ("greet", "again")
        for architecture in ("arm64", "x86_64")
        for python in ("3.12", "3.13")
    }


def test_manifest_has_what_terraform_reads(greeter: Workshop) -> None:
    greeter.run("--arch", "arm64")
    (entry,) = greeter.manifest().values()
    assert entry["path"] == "greet-arm64-python3.13.zip"
    assert (entry["function"], entry["architecture"], entry["runtime"]) == ("greet", "arm64", "python3.13")


def test_zip_holds_function_and_dependencies(greeter: Workshop) -> None:
    greeter.run("--arch", "x86_64")
    assert greeter.names(KEY) == [
        "greet/__init__.py",
        "greet/handler.py",
        f"{INFO}/METADATA",
        "salutation/__init__.py",
    ]


def test_files_that_do_not_run_stay_out(greeter: Workshop) -> None:
    stray = ["README.md", "requirements.in", "pyproject.toml", "tests/test_it.py", "__pycache__/x.pyc"]
    stray += [".env", ".idea/x.xml", "handler.py~", "handler.pyi", "py.typed"]
    data = ["words/en.json", "sub/module.py"]
    greeter.package("greet", dict.fromkeys(stray + data, "x"))
    greeter.run("--arch", "x86_64")
    assert own(greeter) == {"__init__.py", "handler.py", *data}


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
    }
    moved = {"pkg-1.0.data/purelib/pure.py": "", "pkg-1.0.data/platlib/native.py": ""}
    workshop.function("greet", workshop.wheel("pkg", files={**kept, **dropped, **moved}))
    workshop.run("--arch", "x86_64")
    paths = {path for path in workshop.names(KEY) if not path.startswith("greet/")}
    assert paths == {*kept, "pure.py", "native.py", "pkg-1.0.dist-info/METADATA"}


def test_file_missing_in_record_is_packed(workshop: Workshop) -> None:
    workshop.wheel("pkg")
    (wheel,) = workshop.index.iterdir()
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("pkg/more.py", "x = 1\n")
    workshop.function("greet", f"pkg==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    workshop.run("--arch", "x86_64")
    assert "pkg/more.py" in workshop.names(KEY)


def test_dates_modes_and_order_are_fixed(greeter: Workshop) -> None:
    handler = greeter.source / "greet" / "handler.py"
    handler.chmod(0o600)
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


def test_links_that_stay_out_are_ignored(greeter: Workshop) -> None:
    (greeter.source / "greet" / ".venv").symlink_to(greeter.root)
    greeter.run("--arch", "x86_64")
    assert own(greeter) == {"__init__.py", "handler.py"}


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
    assert workshop.run("--arch", "x86_64").out.count("built in") == 2


def test_code_with_a_syntax_error_is_refused(workshop: Workshop) -> None:
    workshop.function("greet", files={"broken.py": "def ("})
    assert "greet/broken.py is not valid Python" in workshop.run(expect=1).err


def test_checkout_on_windows_gives_the_same_zip(workshop: Workshop) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    origin = workshop.root / "origin"
    workshop.source.mkdir()
    shutil.copytree(ROOT / "lambdas", origin / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".gitattributes", origin)
    (origin / "lambdas" / "reconcile" / "pixel.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"text\n" * 10)
    git("init", "--quiet", str(origin))
    git("-C", str(origin), "add", "--all")
    git("-C", str(origin), "commit", "--quiet", "--message", "x")
    hashes = set()
    for settings_ in (("core.autocrlf=false",), ("core.autocrlf=true",), ("core.autocrlf=false", "core.eol=crlf")):
        options = [part for setting in settings_ for part in ("--config", setting)]
        shutil.rmtree(workshop.source)
        git("clone", "--quiet", *options, str(origin), str(workshop.root / "clone"))
        (workshop.root / "clone" / "lambdas").rename(workshop.source)
        shutil.rmtree(workshop.root / "clone")
        workshop.run("reconcile", "--arch", "x86_64")
        hashes.add(workshop.manifest()["reconcile-x86_64-python3.13"]["sha256"])
    assert len(hashes) == 1
    with workshop.zip("reconcile-x86_64-python3.13") as archive:
        assert archive.read("reconcile/pixel.png") == (origin / "lambdas" / "reconcile" / "pixel.png").read_bytes()
        assert archive.read("reconcile/handler.py") == (ROOT / "lambdas/reconcile/handler.py").read_bytes()


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


def test_zlib_compresses_nothing(greeter: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the bytes would depend on this machine's zlib")

    monkeypatch.setattr(zlib, "compressobj", refuse)
    monkeypatch.setattr(zlib, "compress", refuse)
    greeter.run("--arch", "x86_64")
    with greeter.zip(KEY) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}


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


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_reads_the_zip(greeter: Workshop) -> None:
    greeter.run("--arch", "x86_64")
    subprocess.run(["unzip", "-tqq", greeter.output / f"{KEY}.zip"], check=True)


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


def test_excluded_paths_stay_out(workshop: Workshop) -> None:
    lock = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/web/a.js": "", "pkg/web/b.js": ""})
    text = '[[exclude]]\npaths = ["pkg/web/*"]\nexcept = ["pkg/web/b.js"]\nreason = "There is no web."\n'
    workshop.function("lean", lock, {"package.toml": text})
    workshop.run("--arch", "x86_64")
    names = workshop.names("lean-x86_64-python3.13")
    assert [name for name in names if name.startswith("pkg/")] == ["pkg/__init__.py", "pkg/web/b.js"]


def test_package_toml_adds_optional_parts(workshop: Workshop) -> None:
    locks = {f"requirements-{name}.txt": workshop.wheel(name) for name in ("one", "two")}
    workshop.function("lean", workshop.wheel("pkg"), locks)

    def packages() -> set[str]:
        workshop.run("--arch", "x86_64")
        names = workshop.names("lean-x86_64-python3.13")
        return {name.partition("/")[0] for name in names if name.endswith("/__init__.py")}

    assert packages() == {"lean", "pkg"}
    (workshop.source / "lean" / "package.toml").write_text('parts = ["two"]\n')
    assert packages() == {"lean", "pkg", "two"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('parts = ["one", "tow"]\n', "Choose from: one, two"),
        ('parts = "one"\n', "Choose from: one, two"),
        ('[[exclude]]\npaths = ["pkg/old/*"]\nreason = "r"\n', "excludes pkg/old/*, but no file matches"),
        ('[[exclude]]\npaths = ["pkg/*"]\n', "a text `reason`"),
        ('[[exclude]]\npaths = "pkg/*"\nreason = "r"\n', "a list `paths`"),
        ('[[exclude]]\npaths = ["pkg/*"]\nreason = "r"\nexcpet = []\n', "excpet"),
        ('include = ["x"]\n', "nothing else"),
        ("[[exclude\n", "package.toml is not valid TOML"),
    ],
)
def test_mistakes_in_package_toml_are_explained(workshop: Workshop, text: str, complaint: str) -> None:
    locks = {f"requirements-{name}.txt": workshop.wheel(name) for name in ("one", "two")}
    workshop.function("lean", workshop.wheel("pkg"), {"package.toml": text, **locks})
    assert complaint in workshop.run("--arch", "arm64", expect=1).err


def test_packages_with_the_same_path_are_refused(workshop: Workshop) -> None:
    lock = workshop.wheel("one", files={"shared/__init__.py": "", "shared/x.py": "1"})
    lock += workshop.wheel("two", files={"shared/__init__.py": "", "shared/x.py": "2"})
    workshop.function("clash", lock)
    assert "one==1.0 and two==1.0 both hold shared/x.py" in workshop.run("--arch", "arm64", expect=1).err


def test_path_that_leads_out_is_not_written(workshop: Workshop) -> None:
    workshop.function("greet", workshop.wheel("pkg", files={"pkg/__init__.py": "", "../../outside.py": ""}))
    workshop.run("--arch", "x86_64")
    assert not any("outside" in path for path in workshop.names(KEY))
    assert not list(workshop.root.rglob("outside.py"))
