"""Check that users of an encrypted resource may use its key: callers, roles of services, and services."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.aws_checks.deliveries import admitted, deliveries
from scripts.aws_checks.findings import Finding
from scripts.terraform.offline import dns_suffix
from scripts.terraform.policies import fits, matches, overlap, roles, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.terraform.plans import Plan, Resource
    from scripts.terraform.policies import Statement

USES: dict[str, list[dict[str, Any]]] = tomllib.loads(Path(__file__).with_name("key_uses.toml").read_text("utf-8"))

# Attribute with the key of a resource. For buckets and rules see `_encrypted`.
KEYS: dict[str, tuple[str | int, ...]] = {
    "aws_cloudwatch_event_bus": ("kms_key_identifier",),
    "aws_cloudwatch_log_group": ("kms_key_id",),
    "aws_dynamodb_table": ("server_side_encryption", 0, "kms_key_arn"),
    "aws_lambda_function": ("kms_key_arn",),
    "aws_scheduler_schedule": ("kms_key_arn",),
    "aws_sfn_state_machine": ("encryption_configuration", 0, "kms_key_id"),
    "aws_sns_topic": ("kms_master_key_id",),
    "aws_sqs_queue": ("kms_master_key_id",),
}

# AWS documents it for services that use a key, but their condition on the encryption context never holds for it.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
AS_DOCUMENTED = {"kms:DescribeKey"}

# Types that a service names as its source when it sends to queues and topics.
SENDERS = {
    "events.amazonaws.com": ("aws_cloudwatch_event_bus", "aws_cloudwatch_event_rule"),
    "sns.amazonaws.com": ("aws_sns_topic",),
}

# Terraform reads the headers of an object, which need no key without a checksum:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
HEADERS_ONLY = {"s3:GetObject"}

# Uses of a role that no encrypted resource of the plan explains: log delivery makes data keys with a workflow's role.
# https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html (EncryptLogs)
OWN = {"aws_sfn_state_machine": {"kms:GenerateDataKey"}}


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A resource with the key that it is encrypted with.

    Attributes:
        resource: The resource.
        arns: Patterns of the ARNs that callers name: its own, and those below it.
        key: ARN of its key.
    """

    resource: Resource
    arns: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a key that a policy must allow: see `key_uses.toml`."""

    why: str
    actions: tuple[str, ...]
    optional: tuple[str, ...]
    key: str
    context: Mapping[str, str]
    source: str


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield uses of a key that no policy allows, and grants on keys that nothing needs."""
    for plan in plans:
        found = [*_encrypted(plan), *(one for other in _deployed(plan, plans) for one in _encrypted(other))]
        uses = _role_uses(plan)
        for arn, (role, granted) in roles(plan).items():
            needed = [*uses.get(arn, []), *_caller_uses(plan, granted, found)]
            for what in _unmet(needed, granted):
                yield Finding(plan.name, role.address, what)
            if not _deployed(plan, plans):  # a role that makes keys needs more than their use
                for what in _needless(needed, granted):
                    yield Finding(plan.name, role.address, what)
        for key in plan.every("aws_kms_key"):
            if not str(key.value("policy")).startswith("{"):
                continue  # AWS's default policy names no service: the account's policies decide
            for what in _key_policy(plan, key):
                yield Finding(plan.name, key.address, what)


def _deployed(plan: Plan, plans: Sequence[Plan]) -> list[Plan]:
    """Return the plans that the roles of a plan deploy; empty for all plans but that of the deploy roles."""
    return [other for other in plans if other.name == "root"] if plan.name == "deploy roles" else []


def _encrypted(plan: Plan) -> Iterator[Encrypted]:
    for resource in plan.every(*KEYS):
        if key := resource.value(*KEYS[resource.type]):
            arn = resource.value("arn")
            yield Encrypted(resource, (arn, f"{arn}/*", f"{arn}:*"), key)
    buckets = {bucket.value("bucket"): bucket for bucket in plan.every("aws_s3_bucket")}
    for settings in plan.every("aws_s3_bucket_server_side_encryption_configuration"):
        key = settings.value("rule", 0, "apply_server_side_encryption_by_default", 0, "kms_master_key_id")
        bucket = buckets.get(settings.value("bucket"))
        if key and bucket:
            yield Encrypted(bucket, (f"{bucket.value('arn')}/*",), key)
    keys = {bus.value("name"): bus.value("kms_key_identifier") for bus in plan.every("aws_cloudwatch_event_bus")}
    for rule in plan.every("aws_cloudwatch_event_rule"):
        if key := keys.get(rule.value("event_bus_name")):
            yield Encrypted(rule, (rule.value("arn"),), key)


def _caller_uses(plan: Plan, granted: Sequence[Statement], found: Sequence[Encrypted]) -> Iterator[Use]:
    """Yield the uses of keys that the calls which a role may make require."""
    for row in USES["caller"]:
        for one in found:
            if one.resource.type != row["on"]:
                continue
            apis = [
                api
                for api in row["api"]
                if (plan.resources.get(one.resource.address) == one.resource or api not in HEADERS_ONLY)
                and any(statement.allow and statement.covers(api, arn) for statement in granted for arn in one.arns)
            ]
            if apis:
                yield Use(
                    f"{' and '.join(apis)} on {one.resource.address}",
                    tuple(row["key"]),
                    tuple(row.get("optional", ())),
                    one.key,
                    {"kms:ViaService": f"{row['via']}.{plan.region}.{dns_suffix(plan.region)}"},
                    row["source"],
                )


def _role_uses(plan: Plan) -> dict[str, list[Use]]:
    """Return the uses of keys that services make with a role that they get, by the ARN of the role."""
    uses: dict[str, list[Use]] = {}
    for row in USES["role"]:
        for one in _encrypted(plan):
            if one.resource.type == row["of"]:
                optional = tuple(OWN.get(one.resource.type, ()))
                context = _context(row, one.resource)
                use = Use(one.resource.address, tuple(row["key"]), optional, one.key, context, row["source"])
                uses.setdefault(one.resource.value(*row["role"]), []).append(use)
    return uses


def _context(row: Mapping[str, Any], resource: Resource) -> dict[str, str]:
    if "context" not in row:
        return {}
    return {f"kms:EncryptionContext:{row['context']}": resource.value(*row.get("names", ["arn"])) or ""}


def _allowed(action: str, use: Use, granted: Sequence[Statement]) -> bool:
    return any(
        statement.allow and statement.covers(action, use.key) and fits(statement.conditions, use.context)
        for statement in granted
    )


def _unmet(needed: Sequence[Use], granted: Sequence[Statement]) -> Iterator[str]:
    for use in needed:
        missing = [action for action in use.actions if not _allowed(action, use, granted)]
        if missing:
            via = "".join(f" with {key} {value}" for key, value in use.context.items())
            yield f"{use.why} needs {', '.join(missing)} on {use.key}{via}: allow it to the role ({use.source})."


def _needless(needed: Sequence[Use], granted: Sequence[Statement]) -> Iterator[str]:
    for statement in granted:
        if not statement.allow:
            continue
        for action in statement.actions:
            if not action.startswith("kms:"):
                continue
            for resource in statement.resources:
                if not any(
                    overlap(resource, use.key) and any(matches(action, one) for one in (*use.actions, *use.optional))
                    for use in needed
                ):
                    yield f"{statement.label} allows {action} on {resource}, which nothing needs: remove it."


def _key_policy(plan: Plan, key: Resource) -> Iterator[str]:
    """Yield uses by services that the key's policy does not allow, and grants that no service needs."""
    granted = [one for one in statements(key.value("policy")) if one.allow]
    used: dict[str, set[str]] = {}
    for principal, use in _service_uses(plan):
        if use.key != key.value("arn"):
            continue
        used.setdefault(principal, set()).update(use.actions)
        admitting = [one for one in granted if principal in one.services and fits(one.conditions, use.context)]
        missing = [
            action
            for action in use.actions
            if not any(matches(pattern, action) for one in admitting for pattern in one.actions)
        ]
        if missing:
            yield f"{use.why} needs {', '.join(missing)} for {principal}: allow it in the key's policy ({use.source})."
    # The key may also be for resources elsewhere: an example's key for any, the pipeline's key for queues of others to
    # which its rules and its topic send.
    for statement in granted if plan.name.startswith("root") else ():
        for principal in statement.services:
            if any(
                fits(statement.conditions, {"aws:SourceArn": sender.value("arn")})
                for sender in plan.every(*SENDERS.get(principal, ()))
            ):
                continue
            for action in sorted(set(statement.actions) - used.get(principal, set()) - AS_DOCUMENTED):
                yield f"{statement.label} allows {action} to {principal}, which nothing needs: remove it."


def _service_uses(plan: Plan) -> Iterator[tuple[str, Use]]:
    found = list(_encrypted(plan))
    for row in USES["service"]:
        for one in found:
            if one.resource.type == row["on"]:
                context = _context(row, one.resource)
                if row["principal"] in SENDERS:
                    context["aws:SourceArn"] = one.resource.value("arn")
                use = Use(one.resource.address, tuple(row["key"]), (), one.key, context, row["source"])
                yield row["principal"].format(region=plan.region, suffix=dns_suffix(plan.region)), use
    for delivery in (*deliveries(plan), *admitted(plan)):
        for one in found:
            if one.resource.value("arn") == delivery.resource:
                for row in USES["caller"]:
                    if delivery.action in row["api"]:
                        why = f"{delivery.why}, which sends to {one.resource.address},"
                        context = {"aws:SourceArn": delivery.source}
                        yield delivery.service, Use(why, tuple(row["key"]), (), one.key, context, row["source"])
