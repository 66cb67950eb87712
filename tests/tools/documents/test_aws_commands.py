"""The check of `aws …` commands finds those that AWS would refuse."""

from __future__ import annotations

import shlex

import pytest

from tests.support.aws_commands import check_aws, with_nested


def check_all(command: str) -> None:
    for one in with_nested(command):
        check_aws(shlex.split(one)[1:])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("aws kms enable-key --key-id alias/darkroom", "takes no alias"),
        ("aws kms enable-key --key-id arn:aws:kms:eu-west-1:123456789012:alias/darkroom", "takes no alias"),
        ("aws lambda invoke --function-name darkroom-reconcile --no-cli-pager", "needs a file"),
        ("aws kms enable-keys --key-id 1234", "has no operation"),
        ("aws kmss enable-key --key-id 1234", "has no service"),
        ("aws kms enable-key", "needs"),
        ("aws kms enable-key --key-id 1234 --force", "takes no"),
        ("aws kms describe-key --key-id alias/darkroom --query KeyMetadata.Key", "the answer has no"),
        ("aws kms describe-key --key-id alias/darkroom --output xml", "takes one of"),
        ("aws kms schedule-key-deletion --key-id 1234 --pending-window-in-days 400", "takes 1 to 365"),
        ("aws sqs set-queue-attributes --queue-url x --attributes Redrive=", "takes one of"),
        ("aws lambda get-function --function-name 'a name'", "does not match"),
        ("aws dynamodb describe-table --table-name a b", "one value"),
        ("aws dynamodb describe-table a", "belongs to no option"),
        ("aws logs put-retention-policy --log-group-name a --retention-in-days month", "could not convert"),
        ("aws s3api list-objects-v2 --bucket a --no-such-flag", "takes no"),
        ('aws kms enable-key --key-id "$(aws kms describe-key --key-id alias/a --query Key.KeyId)"', "has no Key"),
    ],
)
def test_mistakes_are_found(command: str, said: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=said):
        check_all(command)


@pytest.mark.parametrize(
    "command",
    [
        'aws kms enable-key --key-id "$(aws kms describe-key --key-id alias/a --query KeyMetadata.KeyId)"',
        "aws sqs set-queue-attributes --queue-url x --attributes RedrivePolicy=,VisibilityTimeout=3",
        'aws sqs set-queue-attributes --queue-url x --attributes \'{"RedrivePolicy": ""}\'',
        "aws kms create-key --tags TagKey=Application,TagValue=darkroom TagKey=a,TagValue=b --no-multi-region",
        "aws logs put-retention-policy --log-group-name a --retention-in-days 30",
        "aws dynamodb wait table-exists --table-name darkroom-images",
        "aws lambda invoke --function-name darkroom-reconcile --no-cli-pager answer.json",
    ],
)
def test_valid_commands_pass(command: str) -> None:
    check_all(command)
