"""What the documents say exists: links lead somewhere, commands can be given, targets and decisions are told of."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hcl2
import pytest
import typer

from darkroom.cli import app
from scripts import ROOT
from tests.support.aws_commands import OWN, SESSION, check_aws, with_nested

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not {".venvs", "build", ".pytest_cache"} & set(path.relative_to(ROOT).parts)
)
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))

# Tools of the development environment that a document may name.
TOOLS = {line.strip() for line in (ROOT / "requirements" / "dev.in").read_text().splitlines()}

# Subcommands of Terraform that a document may name; what they do is Terraform's.
TERRAFORM = {"apply", "destroy", "fmt", "import", "init", "output", "plan", "providers", "state", "test", "show"}


def commands(document: Path) -> Iterator[str]:
    """The commands of a document's shell examples, continued lines joined, comments left out."""
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"(^|\s)#.*", "", line).strip()
            if command:
                yield from with_nested(command)


COMMANDS = [
    (document.relative_to(ROOT).as_posix(), command) for document in DOCUMENTS for command in commands(document)
]


# Commands in a sentence: between single backticks, and maybe not whole.
PROGRAM = r"(?:make|aws|terraform|darkroom|(?:\.venvs/[\w/]+/)?(?:python3?|pytest|pre-commit|darkroom))"
MENTIONED = [
    (document.relative_to(ROOT).as_posix(), " ".join(command.split()))
    for document in DOCUMENTS
    for command in re.findall(
        rf"(?<!`)`({PROGRAM} [^`]+)`(?!`)", re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    )
]


# Commands of AWS in code: in messages, help texts, outputs and workflows, up to the quotation mark or line's end.
AWS_COMMAND = re.compile(
    rf"\baws (?:{'|'.join(sorted({*SESSION.get_available_services(), *OWN}))}) [a-z][a-z0-9-]+[^`\n]*"
)
SOURCES = sorted(
    path
    for folder in (".github", "docs", "localstack_adapter", "scripts", "terraform")
    for path in [*(ROOT / folder).rglob("*"), ROOT / "Makefile"]
    if path.suffix in {".html", ".j2", ".py", ".tf", ".vtl", ".yml"} or path.name == "Makefile"
)
IN_CODE = [
    (path.relative_to(ROOT).as_posix(), found if found.count('"') % 2 == 0 else found.rpartition('"')[0])
    for path in dict.fromkeys(SOURCES)
    if not {".terraform", "build", "node_modules"} & set(path.parts)
    for found in AWS_COMMAND.findall(path.read_text(encoding="utf-8"))
]


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) > 20
    assert len(MENTIONED) > 20
    assert len(IN_CODE) > 2


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_commands_can_be_given(document: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_NAME", "darkroom")  # as docs/operate.md says
    check(document, command)


@pytest.mark.parametrize(("document", "command"), MENTIONED)
def test_commands_that_are_mentioned_exist(document: str, command: str) -> None:
    check(document, command.replace("…", ""), whole=False)


@pytest.mark.parametrize(("file", "command"), IN_CODE)
def test_commands_in_code_are_taken_by_aws(file: str, command: str) -> None:
    check(file, re.sub(r"\$\{([^}]*)\}", "$value", command))  # what Terraform or a shell fills in


def check(document: str, command: str, *, whole: bool = True) -> None:
    """A command that can be given or, where it need not be whole, the beginning of one."""
    program, *arguments = shlex.split(command)
    if program == "aws":
        check_aws(arguments, whole=whole)
    elif program == "make":
        targets = [word for word in arguments if "=" not in word]
        assert set(targets) <= TARGETS
    elif program == "cd":
        assert (ROOT / arguments[0]).is_dir()
    elif program == "terraform":
        check_terraform(arguments)
    elif Path(program).name in {"python", "python3"}:
        check_script(arguments)
    elif Path(program).name == "darkroom":
        check_darkroom(arguments, whole=whole)
    elif Path(program).name == "pytest":
        assert all((ROOT / word).exists() for word in arguments if word.startswith("tests"))
    elif program.startswith(".venvs/dev/bin/"):
        assert Path(program).name in TOOLS
    else:
        pytest.fail(f"{document} says `{command}`: teach this test to check {program}, or leave it out")


def check_terraform(arguments: list[str]) -> None:
    """A subcommand that Terraform has, with variables and outputs that the root has, or an example beside it."""
    roots = [ROOT / "terraform", *(ROOT / "terraform" / "examples").iterdir()]
    assert arguments[0] in TERRAFORM
    named = {value.split("=")[0] for flag, value in itertools.pairwise(arguments) if flag == "-var"}
    assert any(named <= declared(root / "variables.tf", "variable") for root in roots)
    if arguments[0] == "output":
        told = {word for word in arguments[1:] if not word.startswith("-")}
        assert any(told <= declared(root / "outputs.tf", "output") for root in roots)


def declared(file: Path, kind: str) -> set[str]:
    """The names of a file's blocks of one kind."""
    parsed = hcl2.loads(file.read_text())
    return {name.strip('"') for block in parsed.get(kind, []) for name in block}


def check_script(arguments: list[str]) -> None:
    """A script that is there and knows the options."""
    script, *rest = arguments
    assert (ROOT / script).is_file()
    usage = subprocess.run(
        [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    own = rest[: rest.index("--")] if "--" in rest else rest
    for option in (word for word in own if word.startswith("--")):
        assert option in usage


def check_darkroom(arguments: list[str], *, whole: bool = True) -> None:
    """A subcommand that the operator's command has, with arguments and options that it takes."""
    command = typer.main.get_command(app)
    while isinstance(command, typer.core.TyperGroup):
        name, *arguments = arguments
        command = command.commands[name]
    if whole:
        command.make_context(command.name, arguments)
    else:
        taken = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("--")} <= taken


def darkroom_commands(group: typer.core.TyperGroup, *before: str) -> Iterator[str]:
    """The command lines of all subcommands."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from darkroom_commands(command, *before, name)
        else:
            yield " ".join((*before, name))


def test_every_subcommand_is_documented() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    shown = [command for _, command in COMMANDS]
    for line in darkroom_commands(group, ".venvs/dev/bin/darkroom"):
        assert any(command.startswith(line) for command in shown), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_are_named_exist(document: Path) -> None:
    for name in re.findall(r"`((?:tests|scripts|terraform|lambdas|events|docs)/[\w/.-]+)`", document.read_text()):
        made_by_the_user = name in {"terraform/terraform.tfvars", "terraform/terraform.tfstate", "terraform/backend.tf"}
        assert made_by_the_user or (ROOT / name).exists(), name


def test_every_target_is_documented() -> None:
    told = {target for document in DOCUMENTS for target in re.findall(r"`?make ([a-z-]+)", document.read_text())}
    assert TARGETS - told == set()
    assert {target for target in told if f"`make {target}`" in "".join(d.read_text() for d in DOCUMENTS)} <= TARGETS


def test_documented_targets_are_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == TARGETS


def test_every_document_is_reachable_from_the_readme() -> None:
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
