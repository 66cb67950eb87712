"""Fenced examples, names of files, decisions and limits in documents are correct."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

import hcl2
import pytest

from scripts import ROOT, check_tfvars
from scripts.generated.modules import declarations
from tests.tools.documents.reading import DOCUMENTS, blocks, name
from tests.tools.documents.sessions import is_configuration

if TYPE_CHECKING:
    from pathlib import Path

# Languages that another test checks, or that cannot be checked.
ELSEWHERE = {"sh", "mermaid", "text"}

BLOCKS = [
    pytest.param(block.language, block.body, id=f"{name(path)}-{index}")
    for path in DOCUMENTS
    for index, block in enumerate(blocks(path.read_text()))
    if block.language not in ELSEWHERE
]


@pytest.mark.parametrize(("language", "body"), BLOCKS)
def test_examples_can_be_parsed(language: str, body: str) -> None:
    if language == "json":
        json.loads(body)
    elif language == "python":
        ast.parse(body)
    elif language == "hcl":
        if is_configuration(body):
            hcl2.loads(body)
    else:
        pytest.fail(f"there is no check for `{language}`: add one, or remove the example")


def test_examples_set_existing_variables() -> None:
    assert check_tfvars.main([str(document) for document in DOCUMENTS]) == 0


SOURCES = [
    path
    for suffix in ("*.tf", "*.py")
    for path in sorted(ROOT.rglob(suffix))
    if not {".venvs", "build", ".terraform"} & set(path.relative_to(ROOT).parts)
]
NAMED = re.compile(r"(?<![\w/.])((?:docs|events|lambdas|scripts|terraform|tests)/[\w/-]+\.(?:md|tf|py|json|hcl))\b")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_in_comments_exist(source: Path) -> None:
    for comment in re.findall(r"(?:^|\s)#[^\n]*|\"{3}.*?\"{3}", source.read_text(), re.DOTALL):
        for file in NAMED.findall(comment):
            assert (ROOT / file).exists(), file


def test_decisions_are_in_their_index() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^(\d+)\. \[(.*)\]\((.*)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    found = []
    for file in sorted(folder.glob("[0-9]*.md")):
        number, title = re.match(r"# (\d+)\. (.*)", file.read_text()).groups()  # type: ignore[union-attr]
        assert int(file.name[:4]) == int(number), file.name
        found.append((number, title, file.name))
    assert listed == found


def test_limits_match_variables() -> None:
    document = (ROOT / "docs" / "limits.md").read_text()
    documented = {
        name: float(value.replace(",", ""))
        for name, value in re.findall(r"^\| `([\w.]+)` \| ([\d.,]+) \|", document, re.MULTILINE)
    }
    found = {}
    for one in declarations(ROOT / "terraform" / "variables.tf", "variable"):
        if one.arguments["type"] == "number":
            found[one.name] = product(one.arguments["default"])
        # throttling = optional(object({ burst = optional(number, 100), … }), {})
        for group, inner in re.findall(r"(\w+) += optional\(object\(\{(.*?)\}\)", one.arguments["type"]):
            found |= {f"{one.name}.{group}.{name}": product(value) for name, value in numbers(inner)}
        outer = re.sub(r"\w+ += optional\(object\(\{.*?\}\), \{\}\)", "", one.arguments["type"], flags=re.DOTALL)
        found |= {f"{one.name}.{name}": product(value) for name, value in numbers(outer)}
    # Fields of a variant or an authorization are no limits.
    found = {name: value for name, value in found.items() if not re.match(r"variants|api\.authorization", name)}
    assert documented == found


def numbers(source: str) -> list[tuple[str, str]]:
    """Return fields of a type whose default is a number, with its source."""
    return re.findall(r"(\w+) += optional\(number, ([\d.* ]+)\)", source)


def product(source: str) -> float:
    """Return the value of a number, or of a product of numbers."""
    value = 1.0
    for factor in source.split("*"):
        value *= float(factor)
    return value
