"""Zips with bytecode: complete, reproducible, and only where the right Python makes it."""

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


def unpack(workshop: Workshop, folder: Path) -> Path:
    with workshop.zip(KEY) as archive:
        archive.extractall(folder)
    return folder


def test_dependencies_are_bytecode_and_the_function_keeps_its_source(compiled: Workshop) -> None:
    with compiled.zip(KEY) as archive:
        names = archive.namelist()
    assert names == sorted(
        [
            "greet/__init__.py",
            f"greet/__pycache__/__init__.{TAG}.pyc",
            "greet/handler.py",
            f"greet/__pycache__/handler.{TAG}.pyc",
            "salutation-1.0.dist-info/METADATA",
            "salutation/__init__.pyc",
        ]
    )


def test_python_imports_the_bytecode_and_looks_at_no_source(compiled: Workshop, tmp_path: Path) -> None:
    folder = unpack(compiled, tmp_path / "task")
    handler = folder / "greet" / "handler.py"
    handler.write_text("def handler(event, context):\n    return 'from the source'\n")
    program = "import greet.handler as it; print(it.handler({}, None), it.handler.__code__.co_filename)"
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    # The name is set to where the source is found; a dependency's stays as it was compiled.
    assert done.stdout.split() == ["hello", str(handler)]


def test_bytecode_names_lambdas_folder_and_no_time(compiled: Workshop) -> None:
    with compiled.zip(KEY) as archive:
        data = archive.read("salutation/__init__.pyc")
    assert struct.unpack_from("<L", data, 4) == (UNCHECKED,)
    assert b"/var/task/salutation/__init__.py" in data
    assert str(compiled.root).encode() not in data


def test_what_is_no_python_stays_as_it_is(workshop: Workshop) -> None:
    files = {"pkg/__init__.py": "X = 1\n", "pkg/template.py": "class {{ name }}:\n"}
    workshop.function("greet", workshop.wheel("pkg", files=files))
    workshop.run("--local", "--bytecode")
    with workshop.zip(KEY) as archive:
        assert {"pkg/__init__.pyc", "pkg/template.py"} <= set(archive.namelist())


def test_the_bytes_are_always_the_same(greeter: Workshop) -> None:
    source = "".join(f"def f{n}(x):\n    return x in {{'a{n}', 'b', 'c', 1.5, (None, {n})}}\n" for n in range(50))
    greeter.function("greet", (greeter.source / "greet" / "requirements.txt").read_text(), {"sets.py": source})
    assert "reproducible: 1 zip" in greeter.run("--local", "--bytecode", "--check").stdout


def test_with_and_without_replace_each_other(compiled: Workshop) -> None:
    assert compiled.manifest()[KEY]["bytecode"] == platform.python_version()
    assert "up to date" in compiled.run("--local", "--bytecode").stdout
    assert "built in" in compiled.run("--local").stdout
    assert compiled.manifest()[KEY]["bytecode"] == ""
    assert "built in" in compiled.run("--local", "--bytecode").stdout


def test_changed_code_makes_it_out_of_date_too(compiled: Workshop) -> None:
    compiled.function("other", "")
    (compiled.source / "greet" / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    assert "out of date" in compiled.run("other", "--local", "--bytecode").stdout


def test_without_the_right_python_the_message_says_what_to_do(greeter: Workshop) -> None:
    done = greeter.run("--python", "3.99", "--bytecode", expect=1)
    assert "there is no python3.99 on the PATH" in done.stderr
    assert "Traceback" not in done.stderr
    assert greeter.manifest() == {}
