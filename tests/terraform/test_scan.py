"""Checkov skips few checks, each with a reason, and scans the examples too."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.scan import scan_files

if TYPE_CHECKING:
    from pathlib import Path

MOST = 10


def test_skipped_checks_are_few_and_have_reasons() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().partition("skip-check:\n")[2].splitlines()
    skipped = [line.removeprefix("  - ") for line in lines if not line.startswith("  #")]
    assert 0 < len(skipped) <= MOST
    assert all(re.fullmatch(r"CKV2?_AWS_\d+", check) for check in skipped)
    assert lines[0].startswith("  #")
    assert not lines[-1].startswith("  #")


@pytest.mark.parametrize("example", ["modules/queue/examples/rule_to_queue", "examples/github_deploy_role"])
def test_a_mistake_in_an_example_is_found(tmp_path: Path, example: str) -> None:
    code = tmp_path / "terraform"
    folder = code / example
    module = folder.parent.parent if "modules" in example else folder
    shutil.copytree(ROOT / "terraform" / module.relative_to(code), module)
    assert scan_files(code).failed == ()
    (folder / "planted.tf").write_text('resource "aws_sns_topic" "planted" {\n  name = "planted"\n}\n')
    (found,) = scan_files(code).failed
    assert (found.check, found.resource) == ("CKV_AWS_26", "aws_sns_topic.planted")
    assert found.file == f"/{example}/planted.tf"
