"""Check that the deploy roles allow exactly the calls that Terraform's provider makes for the root."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.aws_checks import authorization
from scripts.aws_checks.findings import Finding
from scripts.aws_checks.needs import Need, missing, needs
from scripts.terraform.policies import fits, matches, overlap, roles, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.terraform.plans import Plan, Resource
    from scripts.terraform.policies import Statement

CALLS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("provider_calls.toml").read_text("utf-8"))

DEPLOY_ROLES = "deploy roles"
DEPLOYED = ("root", "root otherwise")  # the plans that have the name and the region of the roles

# The state, the plans next to it, and the lock file:
# https://developer.hashicorp.com/terraform/language/backend/s3#s3-bucket-permissions
STATE = {
    "plan": (("s3:GetObject", "terraform.tfstate"), ("s3:PutObject", "plans/*")),
    "apply": (
        ("s3:DeleteObject", "terraform.tfstate.tflock"),
        ("s3:GetObject", "plans/*"),
        ("s3:GetObject", "terraform.tfstate"),
        ("s3:GetObject", "terraform.tfstate.tflock"),
        ("s3:PutObject", "terraform.tfstate"),
        ("s3:PutObject", "terraform.tfstate.tflock"),
    ),
}


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield calls that the deploy roles do not allow, needless grants, and needs that the boundary does not admit."""
    by_name = {plan.name: plan for plan in plans}
    deploying = by_name.get(DEPLOY_ROLES)
    deployed = [by_name[name] for name in DEPLOYED if name in by_name]
    if not deploying or not deployed:
        return
    for plan in deployed:
        yield from _unknown(plan)
    for role, granted in roles(deploying).values():
        needed = [need for plan in deployed for need in provider_needs(plan, str(role.index))]
        needed += [Need(action, f"arn:*:s3:::*/{key}", "Terraform's state") for action, key in STATE[str(role.index)]]
        needed.append(Need("s3:ListBucket", "arn:*:s3:::*", "Terraform's state"))
        for what in dict.fromkeys((*missing(needed, granted), *_needless(needed, granted))):
            yield Finding(deploying.name, role.address, what)
        for plan in deployed:
            for what in _not_passed(plan, granted) if role.index == "apply" else ():
                yield Finding(deploying.name, role.address, what)
    yield from _cut_off(deploying, deployed)


def _cut_off(deploying: Plan, deployed: Sequence[Plan]) -> Iterator[Finding]:
    """Yield needs of the pipeline's own roles that the boundary does not admit."""
    for boundary in deploying.every("aws_iam_policy"):
        if boundary.value("name").endswith(f"-boundary-{deploying.region}"):
            allowed = statements(boundary.value("policy"))
            cut = {what for plan in deployed for found in needs(plan).values() for what in missing(found, allowed)}
            for what in sorted(cut):
                yield Finding(deploying.name, boundary.address, what)


def _unknown(plan: Plan) -> Iterator[Finding]:
    for type_ in sorted({resource.type for resource in plan.resources.values()} - CALLS.keys()):
        yield Finding(
            plan.name, type_, "the provider's calls for it are not in aws_checks/provider_calls.toml: add them"
        )


def provider_needs(plan: Plan, role: str) -> Iterator[Need]:
    """Yield the calls of the provider for the resources of a plan: to refresh it, or also to apply it."""
    for resource in plan.every(*CALLS):
        row = CALLS[resource.type]
        arns = [_filled(arn, plan, resource) for arn in row.get("arns", ["{arn}"])]
        wanted = [(action, False) for action in row["read"]]
        if role == "apply":
            wanted += [(action, False) for action in row["write"]]
            wanted += [(action, True) for action in row.get("sometimes", [])]
        for action, optional in wanted:
            for arn in _taken(action, arns):
                yield Need(action, arn, f"the provider for {resource.type}", optional)


def _taken(action: str, arns: Sequence[str]) -> list[str]:
    """Return those of a resource's ARNs that an action can be on; `*` if it takes no resource."""
    known = authorization.action(action)
    if known is None or not known.arns:
        return ["*"]
    return [arn for arn in arns if any(overlap(arn, one) for one in known.arns)]


def _filled(arn: str, plan: Plan, resource: Resource) -> str:
    bus = resource.value("event_bus_name")
    values = defaultdict(str, {key: value for key, value in resource.values.items() if isinstance(value, str)})
    rule = resource.value("rule") if isinstance(resource.value("rule"), str) else ""
    values["bus_and_rule"] = rule if bus in {None, "default"} else f"{bus}/{rule}"
    values |= {"account": "*", "region": plan.region}
    return arn.format_map(values)


def _needless(needed: Sequence[Need], granted: Sequence[Statement]) -> Iterator[str]:
    # Uses of a key by services are checked in `aws_checks.kms`, and passing a role in `_not_passed`. One statement may
    # have the actions for several types of resource.
    for statement in granted:
        actions = [
            one for one in statement.actions if one.removeprefix("kms:") not in {*USED_BY_SERVICES, "iam:PassRole"}
        ]
        if not statement.allow or not actions:
            continue
        used = {
            (action, resource)
            for action in actions
            for resource in statement.resources
            if any(matches(action, need.action) and overlap(resource, need.resource) for need in needed)
        }
        for action in set(actions) - {action for action, _ in used}:
            yield f"{action} on {', '.join(statement.resources)} is not a call of the provider: remove it."
        for resource in set(statement.resources) - {resource for _, resource in used}:
            yield f"the provider calls none of {', '.join(statement.actions)} on {resource}: remove it."


# Actions on keys that services call for the caller.
USED_BY_SERVICES = {
    "CreateGrant",
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
}


def _not_passed(plan: Plan, granted: Sequence[Statement]) -> Iterator[str]:
    for resource in plan.every(*CALLS):
        passes = CALLS[resource.type].get("passes", {})
        role = resource.value(*passes["role"]) if passes else None
        if role and not any(
            one.allow
            and one.covers("iam:PassRole", role)
            and fits(one.conditions, {"iam:PassedToService": passes["to"]})
            for one in granted
        ):
            yield f"{resource.address} needs iam:PassRole on {role} for {passes['to']}, which no policy allows: add it."
