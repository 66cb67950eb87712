"""Check every statement of every policy against AWS's service authorization data, and grants against needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.aws_checks import authorization, provider_calls
from scripts.aws_checks.deliveries import deliveries
from scripts.aws_checks.findings import Finding
from scripts.aws_checks.needs import missing, needs
from scripts.terraform.policies import credentials, fits, matches, overlap, policies, roles, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.aws_checks.needs import Need
    from scripts.terraform.plans import Plan
    from scripts.terraform.policies import Policy, Statement

# Operators by the type of a key: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
OPERATORS = {
    "ARN": ("Arn", "String"),
    "Bool": ("Bool",),
    "Date": ("Date",),
    "Numeric": ("Numeric",),
    "String": ("Arn", "String"),  # a text may be an ARN, as in the encryption context of CloudWatch Logs
}

# Documented by AWS, but without effect: DescribeKey has no encryption context.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
AS_DOCUMENTED = {("kms:DescribeKey", "kms:encryptioncontext:aws:logs:arn")}


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield parts of policies that AWS would refuse or ignore, missing grants and needless grants."""
    for plan in plans:
        for policy in policies(plan):
            for statement in policy.statements:
                where = f"{policy.resource.address} {statement.label}"
                for what in _vocabulary(policy, statement):
                    yield Finding(plan.name, where, what)
        needed = needs(plan)
        for arn, (role, granted) in roles(plan).items():
            if arn in needed:
                for what in (*missing(needed[arn], granted), *_needless(needed[arn], granted)):
                    yield Finding(plan.name, role.address, what)
        yield from _deliveries(plan)
        yield from _trust(plan)
    yield from provider_calls.check(plans)


def _vocabulary(policy: Policy, statement: Statement) -> Iterator[str]:
    known = []
    for pattern in statement.actions:
        names = authorization.actions(pattern)
        if not names:
            yield f"AWS has no action {pattern}: correct its name."
        known += [found for name in names if (found := authorization.action(name))]
    if policy.resource.type != "aws_kms_key":  # a key's policy is always about the key itself
        yield from _resources(statement)
    for test, keys in statement.conditions.items():
        for key in keys:
            yield from _key(statement, test, key, known)


def _resources(statement: Statement) -> Iterator[str]:
    if not statement.resources:  # a trust policy is about its role
        return
    fitting: set[str] = set()
    for pattern in statement.actions:
        candidates = [found for name in authorization.actions(pattern) if (found := authorization.action(name))]
        fit = {
            resource
            for resource in statement.resources
            for one in candidates
            if resource == "*" or any(overlap(resource, arn) for arn in one.arns)
        }
        fitting |= fit
        if candidates and not fit:
            takes = sorted({arn for one in candidates for arn in one.arns})
            yield (
                f"{pattern} takes {' or '.join(takes) if takes else 'no resource'}, "
                f"so it never matches {', '.join(statement.resources)}: "
                f"{'name one of these' if takes else 'grant it on *'} or remove it."
            )
    if fitting:
        for resource in sorted(set(statement.resources) - fitting):
            yield f"none of {', '.join(statement.actions)} is ever on {resource}: remove it, or correct the actions."


def _key(statement: Statement, test: str, key: str, known: Sequence[authorization.Action]) -> Iterator[str]:
    plain = key.lower()
    operator = test.removesuffix("IfExists").rpartition(":")[2]
    types = {type_ for one in known for pattern, type_ in one.keys.items() if matches(pattern, plain)}
    types |= {type_ for pattern, type_ in authorization.GLOBAL_KEYS.items() if matches(pattern, plain)}
    if not types:
        if known:
            yield f"{key} is not a condition key of {', '.join(statement.actions)}: correct or remove it."
        return
    expected = {prefix for type_ in types for prefix in OPERATORS.get(type_.removeprefix("ArrayOf"), ())}
    if operator != "Null" and expected and not operator.startswith(tuple(expected)):
        yield f"{test} does not compare {'/'.join(sorted(types))}, as {key} is: use {' or '.join(sorted(expected))}…"
    without = [
        one.name
        for one in known
        if not plain.startswith("aws:")
        and (one.name, plain) not in AS_DOCUMENTED
        and not any(matches(pattern, plain) for pattern in one.keys)
    ]
    if without and not any("*" in pattern for pattern in statement.actions) and not test.endswith("IfExists"):
        yield f"{key} is not a condition key of {', '.join(without)}: give these a statement of their own."


def _needless(needed: Sequence[Need], granted: Sequence[Statement]) -> Iterator[str]:
    for statement in granted:
        for action in statement.actions if statement.allow else ():
            if action.startswith("kms:"):  # see `aws_checks.kms`
                continue
            for resource in statement.resources:
                if not any(
                    overlap(action.lower(), need.action.lower()) and overlap(resource, need.resource) for need in needed
                ):
                    yield f"{statement.label} allows {action} on {resource}, which nothing needs: remove it."


def _deliveries(plan: Plan) -> Iterator[Finding]:
    """Yield deliveries that a resource's policy does not admit, and services that it admits without need."""
    sent = list(deliveries(plan))
    policy_of = {policy.resource.value("arn"): policy for policy in policies(plan) if policy.of_resource}
    for one in sent:
        policy = policy_of.get(one.resource)
        if policy and not any(
            statement.allow
            and one.service in statement.services
            and statement.covers(one.action, one.resource)
            and fits(statement.conditions, {"aws:SourceArn": one.source})
            for statement in policy.statements
        ):
            what = f"{one.service} must be allowed {one.action} for {one.source}: {one.why} sends to it."
            yield Finding(plan.name, policy.resource.address, what)
    sources = {arn for one in plan.resources.values() if isinstance(arn := one.value("arn"), str)}
    for policy in policy_of.values():
        if policy.resource.type not in {"aws_sqs_queue", "aws_sns_topic"}:
            continue
        for statement in policy.statements:
            for service in statement.services if statement.allow else ():
                # A source that exists may send later: a topic has its DLQ before it has a subscriber.
                if not any(fits(statement.conditions, {"aws:SourceArn": one}) for one in sources):
                    what = f"{statement.label} admits {service} from a source that is not in the plan: remove it."
                    yield Finding(plan.name, policy.resource.address, what)


def _trust(plan: Plan) -> Iterator[Finding]:
    """Yield services that get a role whose trust policy does not admit them."""
    trusts = {role.value("arn"): role for role in plan.every("aws_iam_role")}
    for resource, arn, service, context in _given(plan):
        role = trusts.get(arn)
        if role and not any(
            statement.allow and service in statement.services and fits(statement.conditions, context)
            for statement in statements(role.value("assume_role_policy"))
        ):
            what = f"{service} cannot assume the role for {resource}: admit it in the role's trust policy."
            yield Finding(plan.name, role.address, what)


def _given(plan: Plan) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Yield the resources that get a role: address, role, service, and the context that the service sends."""
    for resource in plan.every(*provider_calls.CALLS):
        passes = provider_calls.CALLS[resource.type].get("passes")
        if passes and (role := resource.value(*passes["role"])):
            # Rules and schedules name another source than themselves.
            own = {"aws:SourceArn": resource.value("arn")} if resource.type == "aws_sfn_state_machine" else {}
            yield resource.address, role, passes["to"], own
    for api in plan.every("aws_api_gateway_rest_api"):
        for role in sorted(credentials(api)):
            yield api.address, role, "apigateway.amazonaws.com", {}
