"""Validation of every policy of a deployment by IAM Access Analyzer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

IDENTITY = "IDENTITY_POLICY"
RESOURCE = "RESOURCE_POLICY"

_IDENTITY_TYPES = {"aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"}

# Access Analyzer checks these more closely than resource policies in general.
# https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html
_RESOURCE_TYPES = {
    ("aws_iam_role", "assume_role_policy"): "AWS::IAM::AssumeRolePolicyDocument",
    ("aws_s3_bucket", "policy"): "AWS::S3::Bucket",
    ("aws_s3_bucket_policy", "policy"): "AWS::S3::Bucket",
    ("aws_dynamodb_resource_policy", "policy"): "AWS::DynamoDB::Table",
}

ERROR = "ERROR"
REPORTED = (ERROR, "SECURITY_WARNING", "WARNING")  # suggestions are about style


@dataclass(frozen=True)
class Policy:
    """Policy as Terraform has applied it.

    Attributes:
        place: Address and attribute that hold it.
        document: Its JSON.
        kind: Access Analyzer's type of policy.
        of: Access Analyzer's type of the policy's resource, if there is one.
    """

    place: str
    document: str
    kind: str
    of: str | None = None


@dataclass(frozen=True)
class Finding:
    """Finding in a policy that is more than a suggestion."""

    place: str
    kind: str
    code: str
    details: str


def policies_of(module: Mapping[str, Any]) -> Iterator[Policy]:
    """Return every policy in a module of Terraform's state in its JSON form, and in the modules inside."""
    for resource in module.get("resources", ()):
        if resource["mode"] != "managed":
            continue
        for attribute, value in resource["values"].items():
            if _is_policy(value):
                place = f"{resource['address']}.{attribute}"
                if resource["type"] in _IDENTITY_TYPES:
                    yield Policy(place, value, IDENTITY)
                else:
                    yield Policy(place, value, RESOURCE, _RESOURCE_TYPES.get((resource["type"], attribute)))
    for child in module.get("child_modules", ()):
        yield from policies_of(child)


def _is_policy(value: object) -> bool:
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return False
    try:
        return "Statement" in json.loads(value)
    except ValueError:
        return False


def validate(client: Any, policies: Iterable[Policy]) -> list[Finding]:  # noqa: ANN401 - boto3's, without stubs
    """Ask Access Analyzer about each policy; return all findings but suggestions."""
    found = []
    for policy in policies:
        of = {"validatePolicyResourceType": policy.of} if policy.of else {}
        pages = client.get_paginator("validate_policy").paginate(
            policyDocument=policy.document, policyType=policy.kind, **of
        )
        found += [
            Finding(policy.place, one["findingType"], one["issueCode"], one["findingDetails"])
            for page in pages
            for one in page["findings"]
            if one["findingType"] in REPORTED
        ]
    return found


def without_service(policy: str, service: str) -> str:
    """Return a policy without a service among its principals; statements about it alone are left out.

    Raises:
        ValueError: No statement names the service, so nothing would change.
    """
    document = json.loads(policy)
    kept = []
    for statement in document["Statement"]:
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        services = [services] if isinstance(services, str) else services
        if service not in services:
            kept.append(statement)
        elif others := [one for one in services if one != service]:
            kept.append({**statement, "Principal": {**principal, "Service": others}})
    if kept == document["Statement"]:
        raise ValueError(f"no statement of the policy names {service}: {policy}")
    return json.dumps({**document, "Statement": kept})
