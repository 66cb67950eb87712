"""Checks of single commands: programs, options, targets, variables and outputs exist."""

from __future__ import annotations

import functools
import itertools
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

import hcl2
import typer

from darkroom.cli import app
from scripts import ROOT
from tests.support.aws_commands import check_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))

# Subcommands of Terraform that a document may use.
TERRAFORM = {"apply", "destroy", "fmt", "import", "init", "output", "plan", "providers", "state", "test", "show"}

INSTALLERS = {("pip", "install"), ("pipx", "install"), ("uv", "tool", "install")}


def check(program: str, arguments: Sequence[str], folder: Path = ROOT, *, whole: bool = True) -> None:
    """Fail unless a command can be given in a folder.

    Args:
        program: Name of the program.
        arguments: Its arguments.
        folder: The working directory.
        whole: False if the command may be incomplete, as in a sentence.
    """
    if program == "aws":
        check_aws(arguments, whole=whole)
    elif program == "make":
        assert (folder / "Makefile").is_file(), f"there is no Makefile in {folder}"
        targets = {word for word in arguments if "=" not in word}
        assert targets <= TARGETS, f"the Makefile has no {targets - TARGETS}"
    elif program == "terraform":
        check_terraform(arguments, folder, whole=whole)
    elif program in {"python", "python3"}:
        _check_script(arguments, folder)
    elif program == "darkroom":
        _check_darkroom(arguments, whole=whole)
    elif program == "pytest":
        missing = [word for word in arguments if word.startswith("tests") and not (folder / word).exists()]
        assert not missing, f"there is no {missing} in {folder}"
    elif program == "pre-commit":
        assert arguments == ["install"]
    else:
        assert (program, *arguments[:-1]) in INSTALLERS, f"no check for {program}: add one, or change the document"
        assert (folder / arguments[-1]).is_dir(), f"there is no {arguments[-1]} in {folder}"


def check_terraform(arguments: Sequence[str], folder: Path, *, whole: bool = True) -> None:
    """Fail unless the folder's configuration has the variables and outputs that a command of Terraform names."""
    folder, (command, *others) = terraform_folder(arguments, folder)
    assert command in TERRAFORM, f"no check for `terraform {command}`"
    if not whole:
        return
    assert list(folder.glob("*.tf")), f"there is no Terraform configuration in {folder}"
    given = set(variables(others))
    known = declared(folder / "variables.tf", "variable")
    assert given <= known, f"{folder} has no variable {given - known}"
    if command == "output":
        named = {word for word in others if not word.startswith("-")}
        outputs = declared(folder / "outputs.tf", "output")
        assert named <= outputs, f"{folder} has no output {named - outputs}"


def terraform_folder(arguments: Sequence[str], folder: Path) -> tuple[Path, Sequence[str]]:
    """Return the folder that a command of Terraform works in, and its arguments without `-chdir`."""
    first, *others = arguments
    if first.startswith("-chdir="):
        return folder / first.removeprefix("-chdir="), others
    return folder, arguments


def variables(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the variables that `-var` sets."""
    for flag, value in itertools.pairwise(arguments):
        if flag == "-var":
            yield value.partition("=")[0]


@functools.cache
def declared(file: Path, kind: str) -> set[str]:
    """Return the names of a file's blocks of one kind."""
    parsed = hcl2.loads(file.read_text())
    return {label.strip('"') for block in parsed.get(kind, []) for label in block}


def _check_script(arguments: Sequence[str], folder: Path) -> None:
    """Fail unless a script exists and has the options."""
    script, *others = arguments
    assert (folder / script).is_file(), f"there is no {script} in {folder}"
    own = others[: others.index("--")] if "--" in others else others
    for option in (word for word in own if word.startswith("--")):
        assert option in _usage(script), f"{script} has no option {option}"


@functools.cache
def _usage(script: str) -> str:
    command = [sys.executable, script, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _check_darkroom(arguments: Sequence[str], *, whole: bool) -> None:
    """Fail unless the operator's command has the subcommand, with these arguments and options."""
    if list(arguments) in (["--help"], ["--version"]):
        return
    command, words = typer.main.get_command(app), list(arguments)
    context: typer.Context | None = None
    environment: dict[str, str] = {}
    try:
        while isinstance(command, typer.core.TyperGroup):
            context = typer.Context(command, parent=context)
            options, (name, *words), _ = command.make_parser(context).parse_args(words)
            if "outputs" in options:
                environment["DARKROOM_NAME"] = "of the outputs"
            command = command.commands[name]
        if whole:
            with patch.dict(os.environ, environment):
                command.make_context(command.name, words)
    except Exception as error:  # click's own, which typer hides
        message = getattr(error, "format_message", error.__str__)()
        raise AssertionError(message) from error
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def subcommands(group: typer.core.TyperGroup, *before: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of all subcommands of the operator's command."""
    for label, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from subcommands(command, *before, label)
        else:
            yield (*before, label)
