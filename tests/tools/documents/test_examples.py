"""Fenced examples in documents are what they look like: Terraform that parses and names what is there, JSON, Python."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

import hcl2
import pytest

from scripts import ROOT
from scripts.document_modules import declarations
from tests.tools.documents.test_documents import DOCUMENTS

if TYPE_CHECKING:
    from pathlib import Path

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
MODULES = ROOT / "terraform" / "modules"

# Languages that another test checks, or that say nothing that could be wrong.
ELSEWHERE = {"sh", "mermaid", "text"}

BLOCKS = [
    pytest.param(language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE), id=f"{path.relative_to(ROOT)}-{index}")
    for path in DOCUMENTS
    for index, (indent, language, body) in enumerate(FENCE.findall(path.read_text()))
    if language not in ELSEWHERE
]


@pytest.mark.parametrize(("language", "body"), BLOCKS)
def test_examples_are_what_they_look_like(language: str, body: str) -> None:
    if language == "json":
        json.loads(body)
    elif language == "python":
        ast.parse(body)
    elif language == "hcl":
        check_hcl(body)
    else:
        pytest.fail(f"teach this test to check `{language}`, or leave the example out")


def check_hcl(body: str) -> None:
    """Terraform that parses; what sets variables, of the root or of a module, sets some that exist."""
    if re.match(r"(object|map|list)\(|type ", body):
        return  # a type, which document_modules.py has written from the code
    parsed = hcl2.loads(body)
    for block in parsed.get("module", []):
        for given in block.values():
            folder = re.search(r"terraform/modules/(\w+)", given["source"])
            if folder:
                check_names(
                    set(given), MODULES / folder[1], also=frozenset({"source", "providers", "count", "for_each"})
                )
    blocks = {"module", "terraform", "resource", "data", "variable", "output", "locals", "provider", "run", "check"}
    if not blocks & parsed.keys():
        given = set(parsed)
        check_names(given, ROOT / "terraform")
        types = {
            one.name: one.arguments["type"] for one in declarations(ROOT / "terraform" / "variables.tf", "variable")
        }
        for name, value in parsed.items():
            for element in value if isinstance(value, list) else [value]:
                if isinstance(element, dict) and not name.startswith("__"):
                    check_fields(element, types[name])


def check_fields(given: dict[str, object], source: str) -> None:
    """The fields that a type has, told by its source."""
    known = set(re.findall(r"(\w+) *= (?:optional|string|number|bool|list|map|set)", source))
    assert {key.strip('"') for key in given if not key.startswith("__")} <= known


def check_names(given: set[str], folder: Path, also: frozenset[str] = frozenset()) -> None:
    """The names of variables that a folder of Terraform has."""
    known = {one.name for one in declarations(folder / "variables.tf", "variable")}
    assert {name for name in given if not name.startswith("__")} <= known | also


SOURCES = [
    path
    for suffix in ("*.tf", "*.py")
    for path in sorted(ROOT.rglob(suffix))
    if not {".venvs", "build", ".terraform"} & set(path.relative_to(ROOT).parts)
]
NAMED = re.compile(r"(?<![\w/.])((?:docs|events|lambdas|scripts|terraform|tests)/[\w/-]+\.(?:md|tf|py|json|hcl))\b")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_a_comment_names_exist(source: Path) -> None:
    for comment in re.findall(r"(?:^|\s)#[^\n]*|\"{3}.*?\"{3}", source.read_text(), re.DOTALL):
        for name in NAMED.findall(comment):
            assert (ROOT / name).exists(), name


def test_the_decisions_are_in_their_index() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^(\d+)\. \[(.*)\]\((.*)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    found = []
    for file in sorted(folder.glob("[0-9]*.md")):
        number, title = re.match(r"# (\d+)\. (.*)", file.read_text()).groups()  # type: ignore[union-attr]
        assert int(file.name[:4]) == int(number), file.name
        found.append((number, title, file.name))
    assert listed == found


def test_the_limits_are_those_of_the_variables() -> None:
    page = (ROOT / "docs" / "limits.md").read_text()
    told = {
        name: float(value.replace(",", ""))
        for name, value in re.findall(r"^\| `([\w.]+)` \| ([\d.,]+) \|", page, re.MULTILINE)
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
    # What a variant or an authorization looks like is no limit.
    found = {name: value for name, value in found.items() if not re.match(r"variants|api\.authorization", name)}
    assert told == found


def numbers(source: str) -> list[tuple[str, str]]:
    """Fields of a type that have a number for a default, with its source."""
    return re.findall(r"(\w+) += optional\(number, ([\d.* ]+)\)", source)


def product(source: str) -> float:
    """The value of a number, or of a product of numbers."""
    value = 1.0
    for factor in source.split("*"):
        value *= float(factor)
    return value
