"""Scans of the files and of the plan find mistakes, and skip few checks."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT
from scripts.scan import scan_files, scan_plan
from scripts.terraform.plans import load_root

if TYPE_CHECKING:
    from collections.abc import Sequence
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
def test_mistake_in_an_example_is_found(tmp_path: Path, example: str) -> None:
    code = tmp_path / "terraform"
    folder = code / example
    module = folder.parent.parent if "modules" in example else folder
    shutil.copytree(ROOT / "terraform" / module.relative_to(code), module)
    assert scan_files(code).failed == ()
    (folder / "planted.tf").write_text('resource "aws_sns_topic" "planted" {\n  name = "planted"\n}\n')
    (found,) = scan_files(code).failed
    assert (found.check, found.resource) == ("CKV_AWS_26", "aws_sns_topic.planted")
    assert found.file == f"/{example}/planted.tf"


QUEUE = "module.uploads.aws_sqs_queue.this"
PIPELINE = 'module.process_image.aws_iam_role_policy.permissions["pipeline"]'
EVERYTHING_ALLOWED = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

# By check and resource: the resource that is changed, its attribute, and the wrong value. Checkov finds the last two
# mistakes through references between resources.
MISTAKES: dict[tuple[str, str], tuple[str, Sequence[str | int], Any]] = {
    ("CKV_AWS_27", QUEUE): (QUEUE, ["kms_master_key_id"], None),
    ("CKV_AWS_62", PIPELINE): (PIPELINE, ["policy"], json.dumps(EVERYTHING_ALLOWED)),
    ("CKV2_AWS_6", "module.originals.aws_s3_bucket.this"): (
        "module.originals.aws_s3_bucket_public_access_block.this",
        ["bucket"],
        "another",
    ),
    ("CKV2_AWS_4", "module.api[0].aws_api_gateway_stage.this"): (
        "module.api[0].aws_api_gateway_method_settings.this",
        ["stage_name"],
        "another",
    ),
}


def test_mistakes_in_the_plan_are_found() -> None:
    plan = load_root()
    for address, path, wrong in MISTAKES.values():
        plan = plan.changed(address, path, lambda _, wrong=wrong: wrong)  # type: ignore[misc]
    found = {(finding.check, finding.resource) for finding in scan_plan(plan).failed}
    assert found >= MISTAKES.keys()
    assert {resource for _, resource in found} == {resource for _, resource in MISTAKES}
