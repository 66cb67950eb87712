"""The tree is what its folders say: one line for each folder, entry points in a list, no imports from tests."""

from __future__ import annotations

import ast
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("benchmarks", "cli/src", "lambdas", "scripts", "tests")


def tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]


MODULES = [path for source in SOURCES for path in tracked(f"{source}/*.py")]
PACKAGES = sorted({path.parent for path in MODULES} - {ROOT / "lambdas", ROOT / "cli" / "src"})


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_folder_says_what_belongs_in_it(folder: Path) -> None:
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert re.match(r"[A-Z`].{10,}\.(\n\n|$)", docstring), "the docstring of __init__.py must begin with one line"


def test_modules_of_tests_are_not_imported() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [
                f"{path.relative_to(ROOT)}:{node.lineno}: {name}"  # type: ignore[attr-defined]
                for name in names
                if name.rpartition(".")[2].startswith("test_")
            ]
    assert not found, "move what is shared into tests/support/ or into a module next to the tests"


def test_every_entry_point_is_listed() -> None:
    listed = re.findall(
        r"^\| `(\w+\.py)` \|", (ROOT / "scripts" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == sorted(listed)
    entries = [path for path in tracked("scripts/*.py") if path.parent.name == "scripts" and path.stem != "__init__"]
    started = {path.name for path in entries if '__name__ == "__main__"' in path.read_text(encoding="utf-8")}
    assert set(listed) == started
    assert {path.name for path in entries} == started, "libraries belong in the packages below"
