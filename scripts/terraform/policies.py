"""IAM policies of a plan, and their statements."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.terraform.plans import Plan, Resource

# Attributes that hold a policy: of an identity, or of a resource.
IDENTITY = {"aws_iam_policy": "policy", "aws_iam_role_policy": "policy"}
OF_RESOURCE = {
    "aws_cloudwatch_event_bus_policy": "policy",
    "aws_iam_role": "assume_role_policy",
    "aws_kms_key": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_sns_topic": "policy",
    "aws_sqs_queue": "policy",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    Attributes:
        label: Its Sid, else its position.
        allow: True for Allow, False for Deny.
        actions: Actions, which may have wildcards.
        resources: ARNs, which may have wildcards; empty in a trust policy.
        conditions: Operator, key and values.
        services: Service principals.
    """

    label: str
    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(hash=False)
    services: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        """Return True if the statement is about an action on a resource, which may have wildcards too."""
        return any(matches(one.lower(), action.lower()) for one in self.actions) and any(
            overlap(one, resource) for one in self.resources
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of a plan.

    Attributes:
        resource: The resource that has it.
        of_resource: True for a policy that names principals: a resource's own, or a role's trust.
        statements: Its statements.
    """

    resource: Resource
    of_resource: bool
    statements: tuple[Statement, ...]


def policies(plan: Plan) -> Iterator[Policy]:
    """Yield the policies of a plan, by the address of the resource that has them."""
    for resource in plan.every(*IDENTITY, *OF_RESOURCE):
        document = resource.value({**IDENTITY, **OF_RESOURCE}[resource.type])
        if document and document.startswith("{"):  # an attribute that is not set has a made-up value
            yield Policy(resource, resource.type in OF_RESOURCE, statements(document))


@cache
def statements(document: str) -> tuple[Statement, ...]:
    """Return the statements of a policy in JSON."""
    return tuple(
        Statement(
            label=one.get("Sid") or f"statement {number}",
            allow=one["Effect"] == "Allow",
            # All but some counts as all.
            actions=_listed(one.get("Action", "*")),
            resources=_listed(one.get("Resource", "*" if "NotResource" in one else ())),
            conditions={
                test: {key: _listed(values) for key, values in keys.items()}
                for test, keys in one.get("Condition", {}).items()
            },
            services=_listed(one["Principal"].get("Service", ())) if isinstance(one.get("Principal"), dict) else (),
        )
        for number, one in enumerate(_statements(document), 1)
    )


def _statements(document: str) -> list[dict[str, Any]]:
    found = json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def _listed(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    return tuple(value) if isinstance(value, (list, tuple)) else (str(value),)


def roles(plan: Plan) -> dict[str, tuple[Resource, tuple[Statement, ...]]]:
    """Return the roles of a plan by ARN, each with the statements of its policies.

    A role is left out if the plan of an example does not know one of its policies.
    """
    found = {}
    for role in plan.every("aws_iam_role"):
        documents = [policy.value("policy") for policy in granted(plan, role)]
        if all(documents):
            found[role.value("arn")] = role, tuple(one for document in documents for one in statements(document))
    return found


def granted(plan: Plan, role: Resource) -> list[Resource]:
    """Return the policies of a role: inline ones, and managed ones as if they were inline.

    A document is None if the plan of an example does not know it.
    """
    return [
        policy
        for policy in [*plan.every("aws_iam_role_policy"), *_attached(plan)]
        if policy.value("role") in {role.value("name"), role.value("id")}
    ]


def _attached(plan: Plan) -> Iterator[Resource]:
    """Yield the managed policies of a plan as if they were inline, once for each role that has them."""
    for one in plan.every("aws_iam_role_policy_attachment"):
        managed = [policy for policy in plan.every("aws_iam_policy") if policy.value("arn") == one.value("policy_arn")]
        # Instances of one resource may share what is computed: the attachment's key then ends in the policy's.
        same_index = [policy for policy in plan.every("aws_iam_policy") if str(one.index).endswith(f"/{policy.index}")]
        for policy in (same_index or managed)[:1]:
            yield replace(policy, values={**policy.values, "role": one.value("role")})


def credentials(api: Resource) -> set[str]:
    """Return the roles that an API's integrations and authorizers call with."""
    return set(re.findall(r'"(?:authorizerC|c)redentials":\s*"(arn:[^"]+:role/[^"]+)"', api.value("body") or ""))


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)


def matches(pattern: str, value: str) -> bool:
    """Return True if a value matches a pattern with IAM's wildcards `*` and `?`."""
    return _pattern(pattern).fullmatch(value) is not None


@cache
def overlap(one: str, other: str) -> bool:
    """Return True if a value exists that matches both patterns."""
    if not set("*?") & set(other):
        return matches(one, other)
    if not set("*?") & set(one):
        return matches(other, one)
    reached = [True, *(False for _ in other)]  # which beginnings of `other` go with the beginning of `one` so far
    for index, letter in enumerate(other):
        reached[index + 1] = reached[index] and letter == "*"
    for mine in one:
        before, reached = reached, [reached[0] and mine == "*"]
        for index, letter in enumerate(other):
            either = letter == mine or "?" in {letter, mine}
            reached.append(
                (before[index] and either and "*" not in {letter, mine})
                or (mine == "*" and (before[index + 1] or reached[index]))
                or (letter == "*" and (reached[index] or before[index + 1]))
            )
    return reached[-1]


def fits(conditions: Mapping[str, Mapping[str, tuple[str, ...]]], context: Mapping[str, str]) -> bool:
    """Return True if conditions hold in a context.

    Only comparisons of texts and ARNs are judged. For keys that are not in the context, conditions on KMS's encryption
    context do not hold; all others may hold.
    """
    for test, keys in conditions.items():
        operator = test.removesuffix("IfExists").rpartition(":")[2]
        for key, values in keys.items():
            value = context.get(key)
            if value is None:
                if key.startswith("kms:EncryptionContext:") and not test.endswith("IfExists"):
                    return False
                continue
            if operator in {"StringEquals", "ArnEquals", "ArnLike", "StringLike"} and not any(
                matches(one, value) for one in values
            ):
                return False
    return True
