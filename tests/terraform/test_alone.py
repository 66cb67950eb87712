"""Each module is used as its README says: by a git source, from a repository that holds nothing but this module.

So no path can leave the module, and each example plans in a folder that holds nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.document_modules import SOURCE
from scripts.engines.ministack import ministack
from scripts.terraform.copy import LEFT_BEHIND, TERRAFORM
from tests.terraform.test_modules import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from scripts.engines.ministack import Emulator
    from tests.terraform.workspace import Workspace

    Plans = Mapping[Path, Future[tuple[bool, str]]]

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
    """The source that a module's README names, with this repository in it."""
    named = SOURCE.replace("https://github.com/<owner>/darkroom.git", f"file://{repository}").replace("<tag>", TAG)
    assert named != SOURCE
    return named.format(module=module)


def plan_alone(workspace: Workspace, emulator: Emulator, example: Path, folder: Path) -> tuple[bool, str]:
    """Plan an example in a folder of its own."""
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
    return workspace.run("plan", "-input=false", "-no-color", folder=alone, **emulator.environment)


@pytest.fixture(scope="module")
def plans(
    workspace: Workspace, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plans]:
    """The plans of the chosen examples, made side by side."""
    chosen = [item.callspec.params.get("example") for item in request.session.items if hasattr(item, "callspec")]
    with ministack(tmp_path_factory.mktemp("emulator")) as emulator, ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            example: pool.submit(plan_alone, workspace, emulator, example, tmp_path_factory.mktemp("alone"))
            for example in EXAMPLES
            if example in chosen
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_plans_alone(plans: Plans, example: Path) -> None:
    planned, said = plans[example].result()
    assert planned, said
    assert "Warning" not in said, said
    assert re.search(r"^Plan: [1-9]\d* to add, 0 to change, 0 to destroy\.", said, re.MULTILINE), said


def test_a_path_that_leaves_the_module_is_found_out(workspace: Workspace, tmp_path: Path) -> None:
    """In the project's own tree it leads somewhere; alone it does not."""
    repository = tmp_path / "repository"
    module = MODULES / "queue"
    publish(module, repository)
    (repository / module / "more.tf").write_text('module "other" {\n  source = "../topic"\n  name   = "other"\n}\n')
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "main.tf").write_text(f'module "queue" {{\n  source = "{repository / module}"\n  name   = "one"\n}}\n')
    installed, said = workspace.init(alone)
    assert not installed
    assert "must stay within the same package" in " ".join(said.split())
