"""Documents as shell sessions: every command is typed, from top to bottom, in one shell.

A real shell runs the commands in a copy of the repository's tree, so that working directory, environment and files
stay from block to block. `make`, `terraform`, `aws` and the project's programs are recorders: they exist where
the reader would find them, and write down how they were called. `verify` then checks the calls in their order.
"""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import hcl2

from scripts import ROOT
from scripts.generated.modules import declarations
from tests.tools.documents.commands import check, declared, terraform_folder, variables
from tests.tools.documents.reading import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The settings of a reader who has followed the tutorial.
SETTINGS = 'name   = "darkroom"\nregion = "eu-central-1"\n'

# Blocks of HCL that are no settings of the root.
CONFIGURATION = {"module", "terraform", "resource", "data", "variable", "output", "locals", "provider", "run", "check"}

RECORDER = """\
#!/bin/sh
settings=$(cat "$CHECKOUT/terraform/terraform.tfvars" 2>/dev/null)
printf '%s\\0' "${0##*/}" "$PWD" "${DARKROOM_NAME-}" "${AWS_REGION-}" "$settings" "$#" "$@" >> "$CALLS"
for argument; do
  case $argument in file://*)
    [ -f "${argument#file://}" ] || { echo "there is no ${argument#file://} in $PWD" >&2; exit 1; } ;;
  esac
done
case "${0##*/} $*" in "pip install ./cli" | "pipx install ./cli" | "uv tool install ./cli")
  ln -sf "$0" "$INSTALLED/darkroom" ;;
esac
if [ -p /dev/stdin ]; then cat > /dev/null; fi
echo '<output>'
"""

ACTIVATE = 'PATH="$CHECKOUT/.venvs/dev/bin:$PATH"\n'


@dataclass(frozen=True)
class Call:
    """One call of a program.

    Attributes:
        program: Its name; `settings` for a block that the reader adds to `terraform/terraform.tfvars`.
        folder: Working directory.
        name: Value of `DARKROOM_NAME`.
        region: Value of `AWS_REGION`.
        settings: Content of `terraform/terraform.tfvars`.
        arguments: The program's arguments.
    """

    program: str
    folder: Path
    name: str
    region: str
    settings: str
    arguments: list[str]


class SessionError(AssertionError):
    """A reader does not get through."""


def run(texts: Sequence[str], directory: Path, *, fresh: bool) -> list[Call]:
    """Run the shell blocks of documents in one shell, and return the calls of programs.

    Args:
        texts: The documents, in the order in which they are read.
        directory: Empty folder to work in.
        fresh: True if the reader has done nothing before: there are no settings, and `darkroom` is not installed.

    Raises:
        SessionError: A command failed.
    """
    checkout, calls = directory / "checkout", directory / "calls"
    _make_checkout(checkout)
    calls.touch()
    programs, installed = directory / "programs", directory / "installed"
    _recorders(programs, "aws", "make", "pip", "pipx", "settings", "terraform", "uv")
    _recorders(installed, *([] if fresh else ["darkroom"]))
    _recorders(checkout / ".venvs" / "dev" / "bin", "darkroom", "pre-commit", "pytest", "python")
    (checkout / ".venvs" / "dev" / "bin" / "activate").write_text(ACTIVATE)
    for system in ("python", "python3"):
        _program(programs / system, "#!/bin/sh\necho 'this Python has no packages of the project' >&2\nexit 1\n")
    if not fresh:
        (checkout / "terraform" / "terraform.tfvars").write_text(SETTINGS)
    script = "\n".join(["set -eu -o pipefail", *_steps(texts, directory)])
    environment = {
        "HOME": str(directory),
        "PATH": f"{programs}:{installed}:/usr/bin:/bin",
        "CHECKOUT": str(checkout),
        "CALLS": str(calls),
        "INSTALLED": str(installed),
    }
    done = subprocess.run(
        ["bash", "-c", f"trap 'echo \"in $PWD: $BASH_COMMAND\" >&2' ERR\n{script}"],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise SessionError(f"exit status {done.returncode}: {done.stderr}")
    return list(_read(calls.read_text()))


def _make_checkout(checkout: Path) -> None:
    """Make a tree that looks like the repository and can be written to where readers write."""
    left_out = {".git", ".venvs", "build", "terraform"}
    for folder in (ROOT, ROOT / "terraform"):
        here = checkout / folder.relative_to(ROOT)
        here.mkdir(parents=True)
        for entry in folder.iterdir():
            if entry.name not in left_out | {"terraform.tfvars", "terraform.tfstate", "backend.tf"}:
                (here / entry.name).symlink_to(entry)


def _recorders(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in names:
        _program(folder / one, RECORDER)


def _program(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def _steps(texts: Sequence[str], directory: Path) -> Iterator[str]:
    """Yield the commands of a session: those of the documents, and those for what the reader does in an editor."""
    for number, block in enumerate(block for text in texts for block in blocks(text)):
        if block.language == "sh":
            yield block.body
            continue
        saved = directory / f"block-{number}"
        saved.write_text(block.body)
        if block.file:
            yield f'cp "{saved}" "$CHECKOUT/{block.file}"'
        elif block.language == "hcl" and is_settings(block.body):
            yield f'settings "{saved}" > /dev/null'


def is_configuration(body: str) -> bool:
    """Return True for a block of HCL, and False for a type of a variable, as module READMEs contain."""
    return not body.startswith(("object(", "map(", "list(", "type "))


def is_settings(body: str) -> bool:
    """Return True if a block of HCL sets variables of the root."""
    return is_configuration(body) and not CONFIGURATION & hcl2.loads(body).keys()


def _read(text: str) -> Iterator[Call]:
    words = iter(text.split("\0"))
    for program in words:
        if program:
            folder, label, region, settings, count = (next(words) for _ in range(5))
            yield Call(program, Path(folder), label, region, settings, [next(words) for _ in range(int(count))])


def verify(calls: Sequence[Call], checkout: Path, *, fresh: bool) -> None:
    """Check the calls of a session in their order.

    Raises:
        SessionError: A command does not exist, runs in the wrong folder, misses what it needs, or undoes a setting that
            was made before.
    """
    reader = _Reader(checkout / "terraform", set() if fresh else {"make package", "make init"})
    for call in calls:
        try:
            reader.follow(call)
        except AssertionError as error:
            where = call.folder.relative_to(checkout).as_posix()
            raise SessionError(f"`{call.program} {' '.join(call.arguments)}` in {where}: {error}") from error


class _Reader:
    """Progress of a reader.

    Attributes:
        root: Folder of the deployable configuration.
        done: Commands that were given, and the subcommands of Terraform with their folder.
        written: Content of `terraform/terraform.tfvars` as the shell wrote it.
        settings: Variables that are set in it, with what the reader added in an editor.
        applied: Variables that `-var` set, by folder.
    """

    def __init__(self, root: Path, done: set[str]) -> None:
        self.root, self.done, self.written = root, done, ""
        self.settings: dict[str, Any] = {}
        self.applied: dict[Path, set[str]] = {}

    def follow(self, call: Call) -> None:
        """Check one call after all before it."""
        if call.settings != self.written:
            new = self._parse(call.settings)
            _keeps(self.settings, new)
            self.written, self.settings = call.settings, new
        if call.program == "settings":
            new = self._parse(Path(call.arguments[0]).read_text())
            _keeps({name: self.settings[name] for name in self.settings.keys() & new.keys()}, new)
            self.settings |= new
            return
        # click reads the default of `--name` from the environment.
        with patch.dict(os.environ, {"DARKROOM_NAME": call.name} if call.name else {}):
            check(call.program, call.arguments, call.folder)
        if call.region and "region" in self.settings and call.program in {"aws", "darkroom"}:
            assert call.region == self.settings["region"], "AWS_REGION is not the pipeline's region"
        if call.program == "terraform":
            folder, (command, *others) = terraform_folder(call.arguments, call.folder)
            if command in {"apply", "destroy", "plan"}:
                self._change(folder, command, others)
            self.done.add(f"{command} {folder}")
        self.done.add(" ".join([call.program, *call.arguments]))

    def _parse(self, settings: str) -> dict[str, Any]:
        """Return the variables that lines of `terraform.tfvars` set."""
        values: dict[str, Any] = _unquoted(hcl2.loads(settings + "\n"))
        unknown = values.keys() - declared(self.root / "variables.tf", "variable")
        assert not unknown, f"{self.root} has no variable {unknown}"
        return values

    def _change(self, folder: Path, command: str, arguments: Sequence[str]) -> None:
        """Check a command that needs all variables."""
        if folder == self.root:
            assert not any(word.startswith("-var") for word in arguments), (
                "the next apply would drop what `-var` sets: use terraform.tfvars"
            )
            assert {"name", "region"} <= self.settings.keys(), "terraform.tfvars does not set name and region"
            missing = {"make package", "make init"} - self.done
            assert not missing, f"{missing} was not run before"
        else:
            assert f"init {folder}" in self.done, f"there was no `terraform init` in {folder}"
            given = set(variables(arguments))
            dropped = self.applied.get(folder, _required(folder)) - given
            assert not dropped, f"`terraform {command}` does not set {dropped}"
            self.applied[folder] = given


def _required(folder: Path) -> set[str]:
    """Return the variables of a configuration that have no default."""
    found = declarations(folder / "variables.tf", "variable")
    return {variable.name for variable in found if "default" not in variable.arguments}


def _unquoted(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip('"')
    if isinstance(value, dict):
        return {name.strip('"'): _unquoted(one) for name, one in value.items() if not name.startswith("__")}
    return value


def _keeps(before: Mapping[str, Any], now: Mapping[str, Any], where: str = "") -> None:
    """Fail if settings that were made before are dropped: a variable, or a field of an object."""
    for name, value in before.items():
        assert name in now, f"`{where}{name}` was set before and is dropped"
        if isinstance(value, dict):
            _keeps(value, now[name], f"{where}{name}.")
