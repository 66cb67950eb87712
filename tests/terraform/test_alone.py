"""Each module works alone, as its README says to use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.terraform.alone import MODULES, publish
from tests.terraform.folders import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.conftest import Plans
    from tests.terraform.workspace import Workspace


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_example_plans_alone(example_plans: Plans, example: Path) -> None:
    succeeded, said = example_plans[example].result()
    assert succeeded, said
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
