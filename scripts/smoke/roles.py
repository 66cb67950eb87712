"""Roles for the smoke test's own steps: one for a copy of the workflow, and one with the plan role's policies."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts import ROOT
from scripts.terraform.stack import Terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from darkroom.resources import Resources

EXAMPLE = ROOT / "terraform" / "examples" / "github_deploy_role"
PLAN = "plan"  # the role's key in that example

ROLES = ("{}-smoke-plan", "{}-smoke-timeout")


def make_role(iam: Any, name: str, principal: Mapping[str, str], documents: Mapping[str, str]) -> str:  # noqa: ANN401 - boto3's
    """Make a role that a principal may assume, with inline policies; return its ARN."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    for policy, document in documents.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    return str(role["Arn"])


def remove_role(iam: Any, name: str) -> None:  # noqa: ANN401 - boto3's
    """Remove a role with its inline policies, if there is one."""
    with suppress(iam.exceptions.NoSuchEntityException):
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def copy_policies(iam: Any, role: str) -> dict[str, str]:  # noqa: ANN401 - boto3's
    """Return a role's inline policies by name."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names}


def plan_deploy_roles(folder: Path, resources: Resources) -> dict[str, Any]:
    """Return Terraform's plan of examples/github_deploy_role for a pipeline. Nothing is applied.

    The roles' trust admits only GitHub, so the smoke test cannot use them. An account has one identity provider for
    GitHub, which may exist already.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE, folder)
    provider = f"arn:{resources.partition}:iam::{resources.account}:oidc-provider/token.actions.githubusercontent.com"
    variables = {
        "name": resources.name,
        "region": resources.region,
        "repository": "octo-org/photos",
        "state_bucket": f"{resources.name}-state",
        "oidc_provider_arn": provider,
    }
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    terraform = Terraform(folder, {})
    terraform.init()
    return terraform.plan()


def plan_policies(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return the documents of the policies that a plan of the example attaches to the plan role, by their keys.

    The policy about the state's bucket is left out: a smoke test's state is a file.

    Raises:
        LookupError: The example has no policies for the plan role, or not where this function looks.
    """
    documents, attached = {}, set()
    for change in plan["resource_changes"]:
        match change["type"], change.get("index"):
            case "aws_iam_policy", str(key):
                documents[key] = change["change"]["after"]["policy"]
            case "aws_iam_role_policy_attachment", str(key):
                role, _, policy = key.partition("/")
                if role == PLAN:
                    attached.add(policy)
    if not attached or not attached <= set(documents):
        raise LookupError(f"the example attaches {sorted(attached)} to the plan role and makes {sorted(documents)}")
    return {key: documents[key] for key in sorted(attached)}


def assume(sts: Any, arn: str, patience: float, wait: Callable[[], None]) -> dict[str, str]:  # noqa: ANN401 - boto3's
    """Return the environment of a role's session. A new role may take a while to be known everywhere.

    Raises:
        ClientError: The role could not be assumed within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            found = sts.assume_role(RoleArn=arn, RoleSessionName="smoke")["Credentials"]
        except ClientError:
            if time.monotonic() > deadline:
                raise
            wait()
            continue
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }
