"""Modules as their READMEs say to use them: by a git source, from a repository that holds only this module.

So no path can leave the module. Each example is planned in a folder that holds nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.generated.modules import SOURCE
from scripts.terraform.copy import LEFT_BEHIND, TERRAFORM

if TYPE_CHECKING:
    from tests.terraform.workspace import Workspace

MODULES = Path("terraform") / "modules"
TAG = "v1.2.3"
LOCAL_SOURCE = 'source = "../.."'


def publish(module: Path, repository: Path) -> None:
    """Commit and tag one module, and nothing else, in a repository of its own."""
    shutil.copytree(ROOT / module, repository / module, ignore=shutil.ignore_patterns("examples", *LEFT_BEHIND))
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=module"], ["tag", TAG]):
        subprocess.run(["git", *identity, *arguments], cwd=repository, check=True)


def source(module: str, repository: Path) -> str:
    """Return the source that a module's README names, in this repository."""
    named = SOURCE.replace("https://github.com/<owner>/darkroom.git", f"file://{repository}").replace("<tag>", TAG)
    assert named != SOURCE
    return named.format(module=module)


def plan_alone(workspace: Workspace, example: Path, folder: Path, **environment: str) -> tuple[bool, str]:
    """Plan an example in a folder that holds nothing else, with its module from a git repository.

    Returns:
        True if it succeeded, and what Terraform printed.
    """
    name = example.parts[1]
    publish(MODULES / name, folder / "repository")
    alone = folder / "alone"
    shutil.copytree(TERRAFORM / example, alone, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    code = (alone / "main.tf").read_text()
    assert LOCAL_SOURCE in code
    (alone / "main.tf").write_text(code.replace(LOCAL_SOURCE, f'source = "{source(name, folder / "repository")}"'))
    installed, said = workspace.init(alone)
    if not installed:
        return False, said
    with workspace.provider(**environment) as served:  # one each: it cannot set up certificates twice
        return workspace.run("plan", "-input=false", "-no-color", folder=alone, **served)
