"""Check that two pipelines can coexist: with two names in one region, and with one name in two regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.aws_checks.findings import Finding
from scripts.terraform.policies import matches, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.terraform.plans import Plan, Resource

# Attribute with the name of each type, and True if the name must be unique in all regions of the account or partition.
# Sources: AWS's naming rules of each service.
_NAMES: Mapping[str, tuple[str, bool]] = {
    "aws_api_gateway_account": ("", False),
    "aws_api_gateway_rest_api": ("name", False),
    "aws_api_gateway_usage_plan": ("name", False),
    "aws_budgets_budget": ("name", True),
    "aws_cloudwatch_dashboard": ("dashboard_name", True),
    "aws_cloudwatch_event_archive": ("name", False),
    "aws_cloudwatch_event_bus": ("name", False),
    "aws_cloudwatch_event_rule": ("name", False),
    "aws_cloudwatch_log_group": ("name", False),
    "aws_cloudwatch_metric_alarm": ("alarm_name", False),
    "aws_cloudwatch_query_definition": ("name", False),
    "aws_dynamodb_table": ("name", False),
    "aws_iam_policy": ("name", True),
    "aws_iam_role": ("name", True),
    "aws_kms_alias": ("name", False),
    "aws_lambda_function": ("function_name", False),
    "aws_s3_bucket": ("bucket", True),
    "aws_scheduler_schedule": ("name", False),
    "aws_schemas_registry": ("name", False),
    "aws_sfn_state_machine": ("name", False),
    "aws_sns_topic": ("name", False),
    "aws_sqs_queue": ("name", False),
}
# Types without a name of their own: parts of a named resource, or known by an id only.
_UNNAMED = {
    "aws_api_gateway_api_key",
    "aws_api_gateway_deployment",
    "aws_api_gateway_method_settings",
    "aws_api_gateway_stage",
    "aws_api_gateway_usage_plan_key",
    "aws_cloudwatch_event_bus_policy",
    "aws_cloudwatch_event_target",
    "aws_iam_openid_connect_provider",
    "aws_iam_role_policy",
    "aws_kms_key",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_function_recursion_config",
    "aws_lambda_permission",
    "aws_s3_bucket_cors_configuration",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_object",
    "aws_schemas_schema",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_wafv2_web_acl_association",
}
FIRST = "root"
SAME_REGION = "root of another name"
SAME_NAME = "root in another region"


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield names that two pipelines would share, and grants of one on resources of the other."""
    named = {plan.name: plan for plan in plans}
    first = named[FIRST]
    yield from _unknown(first)
    yield from _ambiguous(first)
    yield from _shared(first, named[SAME_REGION], everywhere=False)
    yield from _shared(first, named[SAME_NAME], everywhere=True)
    yield from _reaching(first, named[SAME_REGION])
    yield from _reaching(named[SAME_REGION], first)


def _unknown(plan: Plan) -> Iterator[Finding]:
    for type_ in sorted({resource.type for resource in plan.resources.values()} - _NAMES.keys() - _UNNAMED):
        yield Finding(plan.name, type_, "its type is not in aws_checks/neighbours.py: add it to _NAMES or _UNNAMED")


def _identities(plan: Plan, *, everywhere: bool) -> dict[tuple[Any, ...], Resource]:
    found = {}
    for resource in plan.resources.values():
        attribute, is_everywhere = _NAMES.get(resource.type, ("", None))
        if is_everywhere is None or (everywhere and not is_everywhere):
            continue
        # A rule has a name on its bus.
        name = (resource.value(attribute) if attribute else "", resource.value("event_bus_name"))
        found[resource.type, *name] = resource
    return found


def _shared(one: Plan, other: Plan, *, everywhere: bool) -> Iterator[Finding]:
    theirs = _identities(other, everywhere=everywhere)
    for identity, resource in _identities(one, everywhere=everywhere).items():
        if identity in theirs:
            reach = "in all regions of an account" if everywhere else "in a region"
            yield Finding(
                one.name,
                resource.address,
                f"has the same name {reach} as {theirs[identity].address} of {other.name}: {identity[1]}",
            )


def _ambiguous(plan: Plan) -> Iterator[Finding]:
    """Yield names that a pipeline with a longer name would give to another resource.

    Names begin with the pipeline's. If one resource is called <name>-events and another <name>-uploads-events, the
    first one of a pipeline <name>-uploads has the name of the second one of this pipeline.
    """
    prefix = f"{plan.resources['module.key.aws_kms_alias.this'].values['name'].removeprefix('alias/')}-"
    ends = {
        (type_, bus, name.partition(prefix)[2]): resource
        for (type_, name, bus), resource in _identities(plan, everywhere=False).items()
        if prefix in name
    }
    for (type_, bus, end), resource in ends.items():
        for (other_type, other_bus, other_end), other in ends.items():
            if (type_, bus) == (other_type, other_bus) and end.endswith(f"-{other_end}"):
                longer = f"{prefix}{end.removesuffix(f'-{other_end}')}"
                what = f"a pipeline called {longer} would give {other.address} the same name: {prefix}{end}"
                yield Finding(plan.name, resource.address, what)


def _reaching(one: Plan, other: Plan) -> Iterator[Finding]:
    """Yield grants of one pipeline's roles on the resources of another."""
    arns = {resource.value("arn"): resource for resource in other.resources.values() if resource.value("arn")}
    for policy in one.every("aws_iam_role_policy"):
        for statement in statements(policy.values["policy"]):
            for pattern in statement.resources:
                if pattern == "*" or not statement.allow:
                    continue
                for arn, resource in arns.items():
                    if matches(pattern, arn) or matches(pattern, f"{arn}/x/y/z"):
                        yield Finding(
                            one.name, policy.address, f"{pattern} allows access to {resource.address} of {other.name}"
                        )
