"""Mistakes in policies, each planted in a plan, are found."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from aws_checks import authorization, iam, kms, provider_calls
from aws_checks.needs import operations
from aws_checks.plans import load_plans
from aws_checks.policies import overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aws_checks.findings import Finding
    from aws_checks.plans import Plan

PIPELINE = 'module.process_image.aws_iam_role_policy.permissions["pipeline"]'
RECORD = 'module.record_image.aws_iam_role_policy.permissions["record"]'
KEY = "module.key.aws_kms_key.this"
READ, WRITE, GOVERN = (f'aws_iam_policy.this["{name}"]' for name in ("read", "write", "govern"))


@pytest.fixture(scope="module")
def plans() -> Sequence[Plan]:
    return load_plans()


def replaced(before: str, after: str) -> Callable[[str], str]:
    def change(policy: str) -> str:
        assert before in policy, policy
        return policy.replace(before, after)

    return change


def without(*actions: str) -> Callable[[str], str]:
    """Take actions out of a policy."""

    def change(policy: str) -> str:
        document: dict[str, Any] = json.loads(policy)
        for statement in document["Statement"]:
            listed = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            statement["Action"] = [action for action in listed if action not in actions]
        return json.dumps(document)

    return change


def with_statement(**statement: Any) -> Callable[[str], str]:
    """Add a statement to a policy."""

    def change(policy: str) -> str:
        document: dict[str, Any] = json.loads(policy)
        document["Statement"].append({"Sid": "Planted", "Effect": "Allow", **statement})
        return json.dumps(document)

    return change


def no_statement(sid: str) -> Callable[[str], str]:
    """Take a statement out of a policy."""

    def change(policy: str) -> str:
        document: dict[str, Any] = json.loads(policy)
        kept = [statement for statement in document["Statement"] if statement.get("Sid") != sid]
        assert len(kept) < len(document["Statement"]), policy
        return json.dumps({**document, "Statement": kept})

    return change


def found(plans: Sequence[Plan], check: Callable[[Sequence[Plan]], Any], *planted: Any) -> list[Finding]:
    """Return what a check finds only since a mistake is planted: plan, address, path and change."""
    plan, address, path, change = planted
    changed = [one.changed(address, path, change) if one.name == plan else one for one in plans]
    return sorted(set(check(changed)) - before(check))


@cache
def before(check: Callable[[Sequence[Plan]], Any]) -> set[Finding]:
    """Return what a check finds without a mistake."""
    return set(check(load_plans()))


@pytest.mark.parametrize(
    ("plan", "address", "change", "said"),
    [
        ("root", PIPELINE, replaced("s3:PutObject", "s3:PutObjects"), "AWS has no action s3:PutObjects"),
        ("root", RECORD, replaced("sns:Publish", "sns:publishes"), "AWS has no action sns:publishes"),
        (
            "root",
            PIPELINE,
            with_statement(Action="s3:GetObject", Resource="arn:aws:s3:::darkroom-processed-123456789012"),
            "s3:GetObject takes arn:",
        ),
        (
            "root",
            PIPELINE,
            with_statement(Action="logs:DescribeLogGroups", Resource="arn:aws:logs:eu-central-1:123456789012:*"),
            "logs:DescribeLogGroups takes no resource",
        ),
        ("root", PIPELINE, replaced("events:source", "events:sauce"), "events:sauce is no condition key"),
        ("root", PIPELINE, replaced("StringEqualsIfExists", "NumericEquals"), "NumericEquals compares no"),
        ("root", RECORD, without("dynamodb:UpdateItem"), "PutVersion needs dynamodb:UpdateItem"),
        ("root", RECORD, without("sqs:SendMessage"), "needs sqs:SendMessage"),
        ("root", PIPELINE, without("events:PutEvents"), "events:PutEvents in process_image"),
        (
            "root",
            'module.reconcile[0].aws_iam_role_policy.permissions["compare"]',
            without("s3:ListBucketVersions"),
            "s3:ListObjectVersions in reconcile",
        ),
        (
            "root",
            'module.api[0].aws_iam_role_policy.permissions["routes"]',
            without("lambda:InvokeFunction"),
            "POST /uploads needs lambda:InvokeFunction",
        ),
        ("root", "module.process_image.aws_iam_role_policy.runtime", without("sqs:DeleteMessage"), "sqs:DeleteMessage"),
        (
            "root",
            PIPELINE,
            with_statement(Action="s3:DeleteBucket", Resource="arn:aws:s3:::darkroom-processed-123456789012"),
            "Planted allows s3:DeleteBucket",
        ),
        ("root", "module.uploads.aws_sqs_queue.this", no_statement("SenderEventRules"), "events.amazonaws.com must be"),
        ("deploy roles", READ, without("states:DescribeStateMachine"), "needs states:DescribeStateMachine"),
        ("deploy roles", WRITE, without("iam:UpdateRoleDescription"), "needs iam:UpdateRoleDescription"),
        ("deploy roles", GOVERN, replaced('"scheduler.amazonaws.com",', ""), "for scheduler.amazonaws.com"),
        (
            "deploy roles",
            WRITE,
            with_statement(
                Action="lambda:AddPermission", Resource="arn:aws:lambda:eu-central-1:123456789012:function:*"
            ),
            "lambda:AddPermission on",
        ),
        ("deploy roles", "aws_iam_policy.boundary", without("dynamodb:Scan"), "needs dynamodb:Scan"),
    ],
)
def test_iam_finds(plans: Sequence[Plan], plan: str, address: str, change: Callable[[str], str], said: str) -> None:
    assert any(said in finding.what for finding in found(plans, iam.check, plan, address, ["policy"], change))


@pytest.mark.parametrize(
    ("plan", "address", "change", "said"),
    [
        ("deploy roles", READ, without("kms:Decrypt"), "states:DescribeStateMachine on"),
        ("deploy roles", READ, replaced('"states.eu-central-1.amazonaws.com"', '"s3.amazonaws.com"'), "kms:Decrypt"),
        (
            "deploy roles",
            GOVERN,
            without("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
            "kms:GenerateDataKeyWithoutPlaintext, kms:ReEncryptFrom, kms:ReEncryptTo",
        ),
        ("root", RECORD, without("kms:GenerateDataKey"), "sns:Publish on module.notifications"),
        (
            "root",
            'module.presign_upload[0].aws_iam_role_policy.permissions["uploads"]',
            without("kms:GenerateDataKey"),
            "s3:PutObject on module.originals",
        ),
        ("root", RECORD, with_statement(Action="kms:Encrypt", Resource="*"), "Planted allows kms:Encrypt"),
        ("root", KEY, no_statement("ServiceEventBus"), "events.amazonaws.com"),
        ("root", KEY, replaced("sns.amazonaws.com", "cloudwatch.amazonaws.com"), "cloudwatch.amazonaws.com, which"),
        ("root", KEY, no_statement("ServiceLogDelivery"), "delivery.logs.amazonaws.com"),
        (
            "root",
            KEY,
            replaced("log-group:/aws/lambda/darkroom-process-image", "log-group:/aws/lambda/other"),
            "logs.eu-central-1.amazonaws.com",
        ),
    ],
)
def test_kms_finds(plans: Sequence[Plan], plan: str, address: str, change: Callable[[str], str], said: str) -> None:
    assert any(said in finding.what for finding in found(plans, kms.check, plan, address, ["policy"], change))


@pytest.mark.parametrize(
    ("address", "before", "after"),
    [
        ("module.record_image.aws_iam_role.this", "states.amazonaws.com", "lambda.amazonaws.com"),
        ("module.record_image.aws_iam_role.this", "stateMachine:darkroom-record", "stateMachine:darkroom-other"),
        ("module.api[0].aws_iam_role.this", "apigateway.amazonaws.com", "execute-api.amazonaws.com"),
        ("aws_iam_role.reconcile_schedule[0]", "scheduler.amazonaws.com", "events.amazonaws.com"),
    ],
)
def test_iam_finds_services_without_their_role(plans: Sequence[Plan], address: str, before: str, after: str) -> None:
    planted = ("root", address, ["assume_role_policy"], replaced(before, after))
    assert any("cannot take on the role" in finding.what for finding in found(plans, iam.check, *planted))


@pytest.mark.parametrize("check", [iam.check, kms.check], ids=["iam", "kms"])
def test_the_plans_are_right(check: Callable[[Sequence[Plan]], Any]) -> None:
    assert sorted(before(check)) == []


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
