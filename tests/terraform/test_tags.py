"""Tags that IAM or another service refuses fail at plan, in each module by the same rules."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from scripts.terraform.copy import TERRAFORM
from tests.terraform.folders import MODULES
from tests.terraform.workspace import messages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.workspace import Workspace

BLOCK = re.compile(r'^variable "tags" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
RULES = re.compile(r"^  validation \{\n.*?^  \}\n", re.MULTILINE | re.DOTALL)

MODULE_TAGS = {str(module): BLOCK.findall((TERRAFORM / module / "variables.tf").read_text()) for module in MODULES}


@pytest.mark.parametrize("module", MODULE_TAGS)
def test_every_module_has_the_same_rules_for_tags(module: str) -> None:
    rules = RULES.findall(MODULE_TAGS["modules/function"][0])
    assert len(rules) == 2
    (block,) = MODULE_TAGS[module]
    assert RULES.findall(block) == rules
    (root,) = BLOCK.findall((TERRAFORM / "variables.tf").read_text())
    assert RULES.findall(root)[:2] == rules


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({}, None),
        ({"team": "shop", "Ünit 1_.:/=+@-": ""}, None),
        ({f"tag{number}": "x" * 256 for number in range(40)}, None),
        ({"Team": "shop", "TEAM": "shop", "other": "x"}, '"TEAM", "Team" differ only in case'),
        ({"aws:team": "shop"}, 'Not valid: "aws:team"'),
        ({"Aws:team": "shop", "ok": "x"}, 'Not valid: "Aws:team"'),
        ({"k" * 129: "shop"}, f'Not valid: "{"k" * 129}"'),
        ({"": "shop"}, 'Not valid: ""'),
        ({"team": "v" * 257}, 'Not valid: "team"'),
        ({"team": "a*b"}, 'Not valid: "team"'),
    ],
)
def test_tags_that_aws_refuses_fail_at_plan(
    workspace: Workspace, tmp_path: Path, tags: dict[str, str], message: str | None
) -> None:
    (tmp_path / "variables.tf").write_text(MODULE_TAGS["modules/function"][0])
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps({"tags": tags}))
    _, said = workspace.run("plan", "-json", "-input=false", folder=tmp_path)
    found = [one["diagnostic"]["detail"] for one in messages(said) if one["type"] == "diagnostic"]
    assert len(found) == (message is not None), said
    assert all(str(message) in " ".join(one.split()) for one in found), found
