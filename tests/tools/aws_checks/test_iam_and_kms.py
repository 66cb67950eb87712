"""Reference data of the checks of policies and of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.aws_checks import authorization, kms, provider_calls
from scripts.aws_checks.needs import operations
from scripts.terraform.policies import overlap

if TYPE_CHECKING:
    from pathlib import Path


def test_tables_name_actions_that_exist() -> None:
    rows = [row for kind in kms.USES.values() for row in kind]
    calls = list(provider_calls.CALLS.values())
    named = {action for row in rows for key in ("api", "key", "optional") for action in row.get(key, [])}
    named |= {action for row in calls for key in ("read", "write", "sometimes") for action in row.get(key, [])}
    assert {action for action in named if authorization.action(action) is None} == set()
    assert all(row["source"].startswith("https://docs.aws.amazon.com/") for row in rows)


def test_calls_are_found_in_code(tmp_path: Path) -> None:
    folder = tmp_path / "some_function"
    folder.mkdir()
    (folder / "handler.py").write_text(
        'import boto3\n_s3 = boto3.client("s3")\nsqs = boto3.client("sqs")\n'
        "def handler(self, pipeline):\n"
        '    _s3.get_object(Bucket="a", Key="b")\n'
        '    pipeline.s3.get_paginator("list_objects_v2").paginate(Bucket="a")\n'
        "    self._request(self._sqs.send_message, 1)\n"
        "    {}.get('a')\n"
    )
    assert {operation for operation, _ in operations(folder)} == {"s3:GetObject", "s3:ListObjectsV2", "sqs:SendMessage"}


@pytest.mark.parametrize(
    ("one", "other", "overlapping"),
    [
        ("arn:*:s3:::a-*", "arn:aws:s3:::*-b", True),
        ("arn:aws:s3:::a", "arn:aws:s3:::*/*", False),
        ("a?c", "ab*", True),
        ("a?", "a", False),
        ("*", "", True),
        ("a*b", "b*a", False),
    ],
)
def test_patterns_overlap(one: str, other: str, *, overlapping: bool) -> None:
    assert overlap(one, other) == overlap(other, one) == overlapping
