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
from stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not {".venvs", "build", ".pytest_cache"} & set(path.relative_to(ROOT).parts)
)
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))

# What a user is told to run besides this project's own commands; that it exists is not ours to test.
FOREIGN = {"aws"}


def commands(document: Path) -> Iterator[str]:
    """The commands of a document's shell examples, continued lines joined, comments left out."""
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"(^|\s)#.*", "", line).strip()
            if command:
                yield command


COMMANDS = [
    (document.relative_to(ROOT).as_posix(), command) for document in DOCUMENTS for command in commands(document)
]


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_commands_can_be_given(document: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_NAME", "darkroom")  # as docs/operate.md says
    program, *arguments = shlex.split(command)
    if program in FOREIGN:
        return
    if program == "make":
        targets = [word for word in arguments if "=" not in word]
        assert set(targets) <= TARGETS
    elif program == "cd":
        assert (ROOT / arguments[0]).is_dir()
    elif program == "terraform":
        check_terraform(arguments)
    elif Path(program).name in {"python", "python3"}:
        check_script(arguments)
    elif Path(program).name == "darkroom":
        check_darkroom(arguments)
    elif Path(program).name == "pytest":
        assert all((ROOT / word).exists() for word in arguments if word.startswith("tests"))
    else:
        pytest.fail(f"{document} says `{command}`: teach this test to check {program}, or leave it out")


def check_terraform(arguments: list[str]) -> None:
    """A subcommand that Terraform has, with variables and outputs that the root has."""
    root = ROOT / "terraform"
    assert arguments[0] in {"apply", "destroy", "init", "output", "plan", "show"}
    variables = declared(root / "variables.tf", "variable")
    named = {value.split("=")[0] for flag, value in itertools.pairwise(arguments) if flag == "-var"}
    assert named <= variables
    if arguments[0] == "output":
        assert {word for word in arguments[1:] if not word.startswith("-")} <= declared(root / "outputs.tf", "output")


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


def check_darkroom(arguments: list[str]) -> None:
    """A subcommand that the operator's command has, with arguments and options that it takes."""
    command = typer.main.get_command(app)
    while isinstance(command, typer.core.TyperGroup):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(command.name, arguments)


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
