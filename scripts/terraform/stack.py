"""Terraform's root, applied from its own folder to AWS or the emulator of the environment.

The folder contains links to the root's files, so it always uses `terraform/`, while state, providers,
a `backend.tf` and a `terraform.tfvars` of the user's own stay out of each other's way.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.artifacts.targets import local_target
from scripts.prerequisites import terraform_problem
from scripts.process.entry_point import ToolError
from scripts.process.environment import CONFIGURATION_FILES, inherited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scripts.artifacts.targets import Target


REGISTRY = "registry.terraform.io"
MIRROR_PLACES = ("/opt", "/usr/share", "/usr/local/share", "~/.terraform.d")
MIRROR_DEPTH = 3  # folders between such a place and the mirror
ABOUT_PROVIDERS = ("TF_PLUGIN_CACHE_", "TF_PROVIDER_DOWNLOAD_", "TF_REGISTRY_", "TF_TOKEN_")
PLUGIN_CACHE = "TF_PLUGIN_CACHE_DIR"
LOCK = ROOT / "terraform" / ".terraform.lock.hcl"  # the provider's version that is tested, with its hashes


class TerraformError(ToolError):
    """Terraform is missing, too old, or has failed. The message holds its errors."""


def check_terraform() -> None:
    """Make sure that Terraform is installed and recent enough.

    Raises:
        TerraformError: It is not; the message says what to install.
    """
    if problem := terraform_problem():
        raise TerraformError(problem)


def find_mirror() -> Path | None:
    """Return the folder of a filesystem mirror with the AWS provider, from the usual places."""
    for place in MIRROR_PLACES:
        top = Path(place).expanduser()
        for depth in range(MIRROR_DEPTH + 1):
            for found in sorted(top.glob("/".join(["*"] * depth + [REGISTRY, "hashicorp", "aws"]))):
                if found.is_dir():
                    return found.parent.parent.parent
    return None


@cache
def registry_answers() -> bool:
    """Return True if Terraform's registry can be reached."""
    try:
        with urllib.request.urlopen(f"https://{REGISTRY}/.well-known/terraform.json", timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False


def provider_environment(directory: Path, report: Callable[[str], None] | None = None) -> dict[str, str]:
    """Return the variable that says where providers come from, if that is not Terraform's registry.

    Args:
        directory: Gets the CLI configuration that names a mirror where the registry cannot be reached.
        report: Function that gets a sentence if a mirror is used.

    Raises:
        TerraformError: There is neither registry nor mirror.
    """
    for configured in filter(None, map(os.environ.get, CONFIGURATION_FILES)):
        if Path(configured).is_file():
            return {"TF_CLI_CONFIG_FILE": str(Path(configured).resolve())}
    if registry_answers():
        return {}
    mirror = find_mirror()
    if mirror is None:
        raise TerraformError(
            f"{REGISTRY} cannot be reached, and no filesystem mirror with the AWS provider is in "
            f"{', '.join(MIRROR_PLACES)}: connect, or put one there with `terraform providers mirror`."
        )
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "terraform.rc"
    configuration.write_text(
        f"# {REGISTRY} could not be reached.\n"
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
    )
    if report:
        report(f"{REGISTRY} cannot be reached: using the provider mirror in {mirror}")
    return {"TF_CLI_CONFIG_FILE": str(configuration.resolve())}


def terraform_environment(directory: Path, report: Callable[[str], None] | None = None) -> dict[str, str]:
    """Return the environment in which every tool runs Terraform.

    The user's settings of Terraform are left out: a log level, a workspace, arguments or values of variables would
    change what the tools read and apply. Only the settings of the installation of providers are kept.

    Args:
        directory: As for `provider_environment`.
        report: As for `provider_environment`.

    Raises:
        TerraformError: There is neither registry nor mirror.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith(ABOUT_PROVIDERS)}
    cache = kept.get(PLUGIN_CACHE)
    if cache:
        kept[PLUGIN_CACHE] = str(Path(cache).resolve())
        if not Path(cache).is_dir():
            del kept[PLUGIN_CACHE]  # Terraform would fail
    return {
        **inherited("TF_", "TERRAFORM_CONFIG"),
        **kept,
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        **provider_environment(directory, report),
    }


class Terraform:
    """Terraform in one folder.

    Attributes:
        folder: The folder with the configuration; state and the rest of what Terraform writes go there too.
        environment: Additional variables of Terraform's process: an emulator's address.
        report: Function that gets messages for the user.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, report: Callable[[str], None] | None = None
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.report = report
        self._process_environment: dict[str, str] = {}

    def init(self) -> None:
        """Install modules and provider, in the version of the root's lock file."""
        check_terraform()
        shutil.copy(LOCK, self.folder)  # a copy, because Terraform may write into it
        self._process_environment = {**terraform_environment(self.folder, self.report), **self.environment}
        self.run("init")

    def apply(self, *options: str, on_line: Callable[[str], None] | None = None) -> None:
        """Apply; each line of Terraform's progress goes to `on_line`."""
        self.run("apply", "-auto-approve", *options, on_line=on_line)

    def destroy(self, on_line: Callable[[str], None] | None = None) -> None:
        """Destroy all that `apply` made."""
        self.run("destroy", "-auto-approve", on_line=on_line)

    def plan(self) -> dict[str, Any]:
        """Return the plan in Terraform's JSON form."""
        self.run("plan", "-out=tfplan")
        plan: dict[str, Any] = json.loads(self.run("show", "-json", "tfplan"))
        return plan

    def state(self) -> dict[str, Any]:
        """Return the state, in Terraform's JSON form."""
        state: dict[str, Any] = json.loads(self.run("show", "-json"))
        return state

    def outputs(self) -> dict[str, Any]:
        """Return the outputs by name."""
        outputs = json.loads(self.run("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def run(self, command: str, *options: str, on_line: Callable[[str], None] | None = None) -> str:
        """Run one Terraform command and return its output.

        Raises:
            TerraformError: It failed; the message holds its errors.
        """
        # For the sockets of providers, which may be killed.
        with TemporaryDirectory(prefix="terraform-", ignore_cleanup_errors=True) as temporary:
            return self._run(command, options, temporary, on_line)

    def _run(self, command: str, options: Sequence[str], temporary: str, on_line: Callable[[str], None] | None) -> str:
        process = subprocess.Popen(
            ["terraform", command, "-no-color", *options],
            cwd=self.folder,
            env={**self._process_environment, "TMPDIR": temporary},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # with its providers, and out of Ctrl-C's reach
        )
        try:
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                if on_line:
                    on_line(line.rstrip())
            process.wait()
        finally:
            # If this process is ended, the emulator ends too. Without this, Terraform would retry for minutes.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()
        said = "".join(lines)
        if process.returncode:
            problems = said[said.find("Error:") :] if "Error:" in said else said
            raise TerraformError(f"terraform {command} failed:\n{problems}")
        return said


class Stack(Terraform):
    """The project's root, applied from its own folder.

    Attributes:
        directory: That folder; it is created and filled if needed.
        variables: Values of the root's variables.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        variables: Mapping[str, Any],
        *,
        report: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(directory / "terraform", environment, report=report)
        self.directory = directory
        self.variables = variables

    def init(self) -> None:
        """Link the root's files, write the variables, install modules and provider."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for link in self.folder.iterdir():
            if link.is_symlink():
                link.unlink()
        for source in (ROOT / "terraform").iterdir():
            if source.name in ("api", "modules", "try_page") or (
                source.suffix in (".tf", ".json") and source.name != "backend.tf"
            ):
                (self.folder / source.name).symlink_to(source)
        for name in ("events", "build"):
            link = self.directory / name
            link.unlink(missing_ok=True)
            link.symlink_to(ROOT / name)
        (self.folder / "terraform.tfvars.json").write_text(json.dumps(self.variables, indent=2) + "\n")
        super().init()


def emulator_variables(name: str, target: Target | None = None) -> dict[str, Any]:
    """Return the root's variables for an emulator; without a target, functions run as processes of this Python."""
    target = target or local_target()
    return {
        "name": name,
        "region": "us-east-1",
        "architecture": target.architecture,
        "runtime": target.runtime,
        "artifacts": str(Path("../build") / target.folder / "manifest.json"),
        "s3_use_path_style": True,
        "force_destroy": True,
        # All functions share this machine's processors: what takes a second on AWS may take many.
        "limits": {"max_seconds": 50},
        "process_image": {"timeout": 300},
        "observe": {"save_queries": False},  # no emulator knows them
        "api": None,  # the embedded emulator has no REST APIs that talk to services
    }
