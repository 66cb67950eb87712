"""The roles for GitHub Actions permit what they are for, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from scripts import ROOT
from scripts.terraform.stack import Stack, Terraform, TerraformError, emulator_variables
from tests.e2e.conftest import DIRECTORY
from tests.e2e.engines import Capability, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.needs(Capability.IAM)

NAME = "deployed"
REPOSITORY = "octo-org@1/photos@2"
EXAMPLE = ROOT / "terraform" / "examples" / "github_deploy_role"

# Condition keys that AWS evaluates and the emulator does not: the tests remove conditions on them. For some services
# the emulator does not know the resource of an action, so that only actions are tested; the example's own tests check
# the ARNs.
UNTOLD = ("iam:PassedToService", "iam:PermissionsBoundary", "lambda:FunctionArn")
UNPLACED = ("cloudwatch", "dynamodb", "events", "kms", "lambda", "scheduler", "sns", "states")

MISTAKEN = {"lambda:GetEventSourceMapping": "lambda:ListEventSourceMappings"}  # what it takes an action for


@pytest.fixture(scope="module")
def variables(endpoint: str) -> Iterator[Mapping[str, str]]:
    """Apply the example; return what it says to set as variables of the repository."""
    copy = DIRECTORY / "deploy_role"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(EXAMPLE, copy)
    (copy / "terraform.tfvars.json").write_text(
        json.dumps(
            {"name": NAME, "region": os.environ["AWS_REGION"], "repository": REPOSITORY, "state_bucket": "state"}
        )
    )
    terraform = Terraform(copy, {})
    terraform.init()
    terraform.apply()
    iam = session().client("iam")
    for policy in iam.list_policies(Scope="Local", PathPrefix="/deployment/")["Policies"]:
        _forget_what_is_untold(iam, policy["Arn"], policy["DefaultVersionId"])
    yield terraform.outputs()["variables"]
    terraform.destroy()


def _forget_what_is_untold(iam: Any, arn: str, version: str) -> None:
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    for statement in document["Statement"]:
        actions = statement["Action"] = [MISTAKEN.get(action, action) for action in _listed(statement["Action"])]
        conditions = {
            test: {key: value for key, value in keys.items() if key not in UNTOLD}
            for test, keys in statement.pop("Condition", {}).items()
        }
        if {action.partition(":")[0] for action in actions} & set(UNPLACED):
            statement["Resource"] = "*"
        if kept := {test: keys for test, keys in conditions.items() if keys}:
            statement["Condition"] = kept
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId=version)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def take_on(role: str, subject: str) -> dict[str, str]:
    """Return the session of a role for a job with this subject at GitHub, as environment variables."""
    claims = {"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "sub": subject}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    token = b".".join([*parts, b"unsigned"]).decode()
    found = (
        session()
        .client("sts")
        .assume_role_with_web_identity(RoleArn=role, RoleSessionName="test", WebIdentityToken=token)["Credentials"]
    )
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


def stack(credentials: Mapping[str, str], variables: Mapping[str, str]) -> Stack:
    bounded = {"permissions_boundary_arn": variables["AWS_PERMISSIONS_BOUNDARY"]}
    values = {**emulator_variables(NAME), **bounded, "reconcile": {"repair": True}}
    stack = Stack(DIRECTORY / "deployed", credentials, values)
    stack.init()
    return stack


def test_roles_apply_plan_and_destroy_and_no_more(variables: Mapping[str, str]) -> None:
    plan = take_on(variables["AWS_PLAN_ROLE"], f"repo:{REPOSITORY}:pull_request")
    apply = take_on(variables["AWS_APPLY_ROLE"], f"repo:{REPOSITORY}:environment:production")

    stack(apply, variables).apply()
    boundaries = {
        role["RoleName"]: session().client("iam").get_role(RoleName=role["RoleName"])["Role"]["PermissionsBoundary"]
        for role in session().client("iam").list_roles()["Roles"]
        if role["RoleName"].startswith(f"{NAME}-")
    }
    assert boundaries
    assert {bound["PermissionsBoundaryArn"] for bound in boundaries.values()} == {variables["AWS_PERMISSIONS_BOUNDARY"]}

    planning = stack(plan, variables)
    assert planning.plan()["resource_changes"]
    with pytest.raises(TerraformError, match=r"AccessDenied|not authorized"):
        planning.destroy()

    stack(apply, variables).destroy()


@pytest.mark.parametrize(
    "subject",
    [
        f"repo:{REPOSITORY}:pull_request",
        f"repo:{REPOSITORY}:ref:refs/heads/main",
        f"repo:{REPOSITORY}:environment:staging",
        "repo:others@3/photos@4:environment:production",
    ],
)
def test_only_the_environment_may_apply(variables: Mapping[str, str], subject: str) -> None:
    with pytest.raises(session().client("sts").exceptions.ClientError, match="AccessDenied"):
        take_on(variables["AWS_APPLY_ROLE"], subject)


def test_apply_role_reaches_only_the_pipeline(variables: Mapping[str, str]) -> None:
    apply = take_on(variables["AWS_APPLY_ROLE"], f"repo:{REPOSITORY}:environment:production")
    mine = boto3.Session(apply["AWS_ACCESS_KEY_ID"], apply["AWS_SECRET_ACCESS_KEY"], apply["AWS_SESSION_TOKEN"])
    session().client("s3").create_bucket(Bucket=f"{NAME}-images")
    trust = {"Version": "2012-10-17", "Statement": []}
    attempts: dict[str, Callable[[], object]] = {
        "another role": lambda: mine.client("iam").create_role(
            RoleName="admin", AssumeRolePolicyDocument=json.dumps(trust)
        ),
        "its own policy": lambda: mine.client("iam").put_role_policy(
            RoleName=variables["AWS_APPLY_ROLE"].rpartition("/")[2], PolicyName="more", PolicyDocument=json.dumps(trust)
        ),
        "a queue of others": lambda: mine.client("sqs").create_queue(QueueName="others"),
        "an image": lambda: mine.client("s3").get_object(Bucket=f"{NAME}-images", Key="a.jpg"),
    }
    for what, attempt in attempts.items():
        with pytest.raises(mine.client("sts").exceptions.ClientError) as refused:
            attempt()
        assert "Denied" in refused.value.response["Error"]["Code"], what
    session().client("s3").delete_bucket(Bucket=f"{NAME}-images")
