"""Commands, targets, files and links in documents exist; every target and document can be found."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from scripts import ROOT
from tests.support.aws_commands import OWN, SESSION, with_nested
from tests.tools.documents.commands import MAKEFILE, TARGETS, check
from tests.tools.documents.reading import DOCUMENTS, name

# Commands in a sentence: between single backticks, possibly incomplete.
PROGRAM = r"(?:make|aws|terraform|darkroom|(?:\.venvs/[\w/]+/)?(?:python3?|pytest|pre-commit|darkroom))"
MENTIONED = [
    (name(document), " ".join(command.split()))
    for document in DOCUMENTS
    for command in re.findall(
        rf"(?<!`)`({PROGRAM} [^`]+)`(?!`)", re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    )
]


# Commands of AWS in code (messages, help texts, outputs, workflows), up to the quotation mark or the end of the line.
AWS_COMMAND = re.compile(
    rf"\baws (?:{'|'.join(sorted({*SESSION.get_available_services(), *OWN}))}) [a-z][a-z0-9-]+[^`\n]*"
)
SOURCES = sorted(
    path
    for folder in (".github", "cli", "docs", "localstack_adapter", "scripts", "terraform")
    for path in [*(ROOT / folder).rglob("*"), ROOT / "Makefile"]
    if path.suffix in {".html", ".j2", ".py", ".tf", ".vtl", ".yml"} or path.name == "Makefile"
)
IN_CODE = [
    (path.relative_to(ROOT).as_posix(), found if found.count('"') % 2 == 0 else found.rpartition('"')[0])
    for path in dict.fromkeys(SOURCES)
    if not {".terraform", "build", "node_modules"} & set(path.parts)
    for found in AWS_COMMAND.findall(path.read_text(encoding="utf-8"))
]


def test_commands_are_found() -> None:
    assert len(MENTIONED) > 20
    assert len(IN_CODE) > 2


@pytest.mark.parametrize(("document", "command"), MENTIONED)
def test_mentioned_commands_exist(document: str, command: str) -> None:
    program, *arguments = shlex.split(command.replace("…", ""))
    check(Path(program).name, arguments, whole=False)


@pytest.mark.parametrize(("file", "command"), IN_CODE)
def test_aws_commands_in_code_exist(file: str, command: str) -> None:
    for one in with_nested(re.sub(r"\$\{([^}]*)\}", "$value", command)):  # Terraform or a shell sets the value
        program, *arguments = shlex.split(one)
        check(program, arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_have_targets(document: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]+`", "", document.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_files_exist(document: Path) -> None:
    made_by_the_user = {"terraform/terraform.tfvars", "terraform/terraform.tfstate", "terraform/backend.tf"}
    found = set(re.findall(r"`((?:tests|scripts|terraform|lambdas|events|docs|cli)/[\w/.-]+)`", document.read_text()))
    assert {file for file in found - made_by_the_user if not (ROOT / file).exists()} == set()


def test_every_target_is_documented() -> None:
    named = {target for document in DOCUMENTS for target in re.findall(r"`?make ([a-z-]+)", document.read_text())}
    assert TARGETS - named == set()
    assert {target for target in named if f"`make {target}`" in "".join(d.read_text() for d in DOCUMENTS)} <= TARGETS


def test_targets_are_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == TARGETS


def test_readme_leads_to_every_document() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        document = todo.pop()
        if document in seen:
            continue
        seen.add(document)
        for target in re.findall(r"\]\(([^)\s#]+)", document.read_text()):
            path = (document.parent / target).resolve()
            if path.is_dir():
                todo += [path / "README.md"] if (path / "README.md").exists() else sorted(path.glob("*.md"))
            elif path.suffix == ".md" and path.exists():
                todo.append(path)
    assert {path for path in DOCUMENTS if path.name != "CHANGELOG.md"} <= seen
