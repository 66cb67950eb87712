"""Zips with bytecode: complete, reproducible, and compiled only by the right Python."""

from __future__ import annotations

import platform
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.artifacts.targets import local_target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.artifacts.conftest import Workshop

KEY = local_target().artifact("greet")
TAG = sys.implementation.cache_tag
UNCHECKED = 1  # PEP 552: a hash instead of a time, and never compared with the source


@pytest.fixture
def compiled(greeter: Workshop) -> Workshop:
    greeter.run("--local", "--bytecode")
    return greeter


def test_only_own_code_keeps_its_source(workshop: Workshop) -> None:
    lock = workshop.wheel("pkg", files={"pkg/__init__.py": "X = 1\n", "pkg/template.py": "class {{ name }}:\n"})
    workshop.function("greet", lock, {"handler.py": "import shared\n"})
    workshop.package("shared", {"__init__.py": ""})
    workshop.run("--local", "--bytecode")
    expected = ["pkg-1.0.dist-info/METADATA", "pkg/__init__.pyc", "pkg/template.py"]
    for package, module in (("greet", "__init__"), ("greet", "handler"), ("shared", "__init__")):
        expected += [f"{package}/{module}.py", f"{package}/__pycache__/{module}.{TAG}.pyc"]
    assert workshop.names(KEY) == sorted(expected)


def test_python_imports_bytecode_not_source(compiled: Workshop, tmp_path: Path) -> None:
    with compiled.zip(KEY) as archive:
        archive.extractall(tmp_path)
    handler = tmp_path / "greet" / "handler.py"
    handler.write_text("def handler(event, context):\n    return 'from the source'\n")
    program = "import greet.handler as it; print(it.handler({}, None), it.handler.__code__.co_filename)"
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    # Python sets the name to the path of the source. For a dependency, it stays as it was compiled.
    assert done.stdout.split() == ["hello", str(handler)]


def test_bytecode_has_lambdas_path_and_no_time(compiled: Workshop) -> None:
    with compiled.zip(KEY) as archive:
        data = archive.read("salutation/__init__.pyc")
    assert struct.unpack_from("<L", data, 4) == (UNCHECKED,)
    assert b"/var/task/salutation/__init__.py" in data
    assert str(compiled.root).encode() not in data


def test_zips_with_and_without_bytecode_alternate(compiled: Workshop) -> None:
    assert compiled.manifest()[KEY]["bytecode"] == platform.python_version()
    assert "up to date" in compiled.run("--local", "--bytecode").out
    compiled.run("--local")
    assert compiled.manifest()[KEY]["bytecode"] == ""
    compiled.run("--local", "--bytecode")
    assert compiled.manifest()[KEY]["bytecode"] == platform.python_version()
    compiled.function("other")
    (compiled.source / "greet" / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    compiled.run("other", "--local", "--bytecode")
    assert KEY not in compiled.manifest()


def test_missing_compiler_is_explained(greeter: Workshop) -> None:
    error = greeter.run("--python", "3.99", "--bytecode", expect=1).err
    assert "there is no python3.99 on the PATH" in error
    assert greeter.manifest() == {}
