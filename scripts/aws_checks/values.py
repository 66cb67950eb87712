"""Compare the values of resources with the limits that AWS publishes: length, pattern, enumeration, range.

`cloudformation.json` holds the limits of the CloudFormation registry. `make schemas` writes it. Limits that are
not in the registry come from botocore's service models, or from AWS's documentation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader
from botocore.session import Session

from scripts.aws_checks import provider6
from scripts.aws_checks.findings import Finding
from scripts.terraform.plans import configurations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.terraform.plans import Plan, Resource

FILE = Path(__file__).with_name("cloudformation.json")

LONGEST_NAME = "longest-name-of-pipeline"  # the variable `name` admits 24 characters

SHOWN = 80  # characters of a value in a message

Limits = dict[str, Any]


@dataclass(frozen=True)
class Counterpart:
    """Counterpart of a Terraform type in CloudFormation.

    Attributes:
        type: Type in the registry.
        within: Property that corresponds to the Terraform type, if it is a part of another type.
        names: Property of each argument or block that has another name there, by path. A block's name applies to all
            that is in it. Names that differ only in case and underscores need no entry.
        without: Arguments that are not properties, and why.
    """

    type: str
    within: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)


POLICY = "the check `iam` reads policy documents"
OWNER = "names the resource that this one belongs to"
TERRAFORM = "Terraform's own"

COUNTERPARTS = {
    "aws_api_gateway_account": Counterpart("AWS::ApiGateway::Account"),
    "aws_api_gateway_api_key": Counterpart("AWS::ApiGateway::ApiKey"),
    "aws_api_gateway_deployment": Counterpart("AWS::ApiGateway::Deployment", without={"triggers": TERRAFORM}),
    "aws_api_gateway_method_settings": Counterpart(
        "AWS::ApiGateway::Stage",
        "MethodSettings",
        names={"settings": ""},
        without={"method_path": "is two properties", "rest_api_id": OWNER, "stage_name": OWNER},
    ),
    "aws_api_gateway_rest_api": Counterpart("AWS::ApiGateway::RestApi", names={"put_rest_api_mode": "Mode"}),
    "aws_api_gateway_stage": Counterpart(
        "AWS::ApiGateway::Stage",
        names={"access_log_settings": "AccessLogSetting", "xray_tracing_enabled": "TracingEnabled"},
    ),
    "aws_api_gateway_usage_plan": Counterpart(
        "AWS::ApiGateway::UsagePlan", names={"quota_settings": "Quota", "throttle_settings": "Throttle"}
    ),
    "aws_api_gateway_usage_plan_key": Counterpart("AWS::ApiGateway::UsagePlanKey"),
    "aws_budgets_budget": Counterpart(
        "AWS::Budgets::Budget",
        "Budget",
        names={
            "limit_amount": "BudgetLimit.Amount",
            "limit_unit": "BudgetLimit.Unit",
            "notification": "/NotificationsWithSubscribers.Notification",
        },
        without={
            "cost_filter.name": "is a key of one JSON object",
            "cost_filter.values": "is a value of one JSON object",
            "notification.subscriber_sns_topic_arns": "is a list of addresses with a type",
            "tags": "has another form",
        },
    ),
    "aws_cloudwatch_dashboard": Counterpart("AWS::CloudWatch::Dashboard"),
    "aws_cloudwatch_event_archive": Counterpart("AWS::Events::Archive", names={"event_source_arn": "SourceArn"}),
    "aws_cloudwatch_event_bus": Counterpart("AWS::Events::EventBus"),
    "aws_cloudwatch_event_bus_policy": Counterpart("AWS::Events::EventBusPolicy", without={"policy": POLICY}),
    "aws_cloudwatch_event_rule": Counterpart("AWS::Events::Rule"),
    "aws_cloudwatch_event_target": Counterpart(
        "AWS::Events::Rule",
        "Targets",
        names={
            "event_bus_name": "/EventBusName",
            "input_transformer.input_paths": "InputTransformer.InputPathsMap",
            "rule": "/Name",
            "sqs_target": "SqsParameters",
            "target_id": "Id",
        },
    ),
    "aws_cloudwatch_log_group": Counterpart("AWS::Logs::LogGroup"),
    "aws_cloudwatch_metric_alarm": Counterpart(
        "AWS::CloudWatch::Alarm",
        names={"metric_query": "Metrics", "metric_query.metric": "Metrics.MetricStat.Metric"}
        | {f"metric_query.metric.{name}": f"Metrics.MetricStat.{name}" for name in ("period", "stat", "unit")},
    ),
    "aws_cloudwatch_query_definition": Counterpart("AWS::Logs::QueryDefinition"),
    "aws_dynamodb_table": Counterpart(
        "AWS::DynamoDB::Table",
        names={
            "attribute.name": "AttributeDefinitions.AttributeName",
            "attribute.type": "AttributeDefinitions.AttributeType",
            "global_secondary_index": "GlobalSecondaryIndexes",
            "global_secondary_index.hash_key": "GlobalSecondaryIndexes.KeySchema.AttributeName",
            "global_secondary_index.name": "GlobalSecondaryIndexes.IndexName",
            "global_secondary_index.non_key_attributes": "GlobalSecondaryIndexes.Projection.NonKeyAttributes",
            "global_secondary_index.projection_type": "GlobalSecondaryIndexes.Projection.ProjectionType",
            "global_secondary_index.range_key": "GlobalSecondaryIndexes.KeySchema.AttributeName",
            "point_in_time_recovery": "PointInTimeRecoverySpecification",
            "point_in_time_recovery.enabled": "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            "server_side_encryption": "SSESpecification",
            "server_side_encryption.enabled": "SSESpecification.SSEEnabled",
            "server_side_encryption.kms_key_arn": "SSESpecification.KMSMasterKeyId",
            "stream_view_type": "StreamSpecification.StreamViewType",
            "ttl": "TimeToLiveSpecification",
        },
        without={
            "hash_key": "is an attribute, whose name is compared",
            "range_key": "is an attribute, whose name is compared",
            "stream_enabled": "is whether the block is there",
        },
    ),
    "aws_iam_openid_connect_provider": Counterpart("AWS::IAM::OIDCProvider"),
    "aws_iam_policy": Counterpart("AWS::IAM::ManagedPolicy", without={"policy": POLICY}),
    "aws_iam_role": Counterpart("AWS::IAM::Role", without={"assume_role_policy": POLICY}),
    "aws_iam_role_policy": Counterpart(
        "AWS::IAM::RolePolicy", names={"name": "PolicyName", "role": "RoleName"}, without={"policy": POLICY}
    ),
    "aws_kms_alias": Counterpart("AWS::KMS::Alias"),
    "aws_kms_key": Counterpart(
        "AWS::KMS::Key", names={"deletion_window_in_days": "PendingWindowInDays"}, without={"policy": POLICY}
    ),
    "aws_lambda_alias": Counterpart("AWS::Lambda::Alias"),
    "aws_lambda_event_source_mapping": Counterpart(
        "AWS::Lambda::EventSourceMapping", names={"filter_criteria.filter": "FilterCriteria.Filters"}
    ),
    "aws_lambda_function": Counterpart(
        "AWS::Lambda::Function",
        names={name: f"Code.{name}" for name in ("s3_bucket", "s3_key", "s3_object_version")},
        without={"filename": TERRAFORM, "publish": TERRAFORM, "source_code_hash": TERRAFORM},
    ),
    "aws_lambda_function_event_invoke_config": Counterpart("AWS::Lambda::EventInvokeConfig"),
    "aws_lambda_function_recursion_config": Counterpart("AWS::Lambda::Function"),
    "aws_lambda_permission": Counterpart(
        "AWS::Lambda::Permission",
        names={"statement_id": "Id"},
        without={"qualifier": "is part of the function's ARN"},
    ),
    "aws_lambda_provisioned_concurrency_config": Counterpart(
        "AWS::Lambda::Alias",
        "ProvisionedConcurrencyConfig",
        names={"function_name": "/FunctionName", "qualifier": "/Name"},
    ),
    "aws_s3_bucket": Counterpart(
        "AWS::S3::Bucket", names={"bucket": "BucketName"}, without={"force_destroy": TERRAFORM}
    ),
    "aws_s3_bucket_cors_configuration": Counterpart(
        "AWS::S3::Bucket",
        "CorsConfiguration",
        names={
            "bucket": "/BucketName",
            "cors_rule": "CorsRules",
            "cors_rule.expose_headers": "CorsRules.ExposedHeaders",
            "cors_rule.max_age_seconds": "CorsRules.MaxAge",
        },
    ),
    "aws_s3_bucket_lifecycle_configuration": Counterpart(
        "AWS::S3::Bucket",
        "LifecycleConfiguration",
        names={
            "bucket": "/BucketName",
            "rule": "Rules",
            "rule.expiration.days": "Rules.ExpirationInDays",
            "rule.expiration.expired_object_delete_marker": "Rules.ExpiredObjectDeleteMarker",
            "rule.transition": "Rules.Transitions",
            "rule.transition.days": "Rules.Transitions.TransitionInDays",
        },
        without={"rule.filter": "is empty"},
    ),
    "aws_s3_bucket_logging": Counterpart(
        "AWS::S3::Bucket",
        "LoggingConfiguration",
        names={
            "bucket": "/BucketName",
            "target_bucket": "DestinationBucketName",
            "target_prefix": "LogFilePrefix",
        },
    ),
    "aws_s3_bucket_notification": Counterpart(
        "AWS::S3::Bucket",
        "NotificationConfiguration",
        names={"bucket": "/BucketName", "eventbridge": "EventBridgeConfiguration.EventBridgeEnabled"},
    ),
    "aws_s3_bucket_ownership_controls": Counterpart(
        "AWS::S3::Bucket", "OwnershipControls", names={"bucket": "/BucketName", "rule": "Rules"}
    ),
    "aws_s3_bucket_policy": Counterpart("AWS::S3::BucketPolicy", without={"policy": POLICY}),
    "aws_s3_bucket_public_access_block": Counterpart(
        "AWS::S3::Bucket", "PublicAccessBlockConfiguration", names={"bucket": "/BucketName"}
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Counterpart(
        "AWS::S3::Bucket",
        "BucketEncryption.ServerSideEncryptionConfiguration",
        names={
            "bucket": "/BucketName",
            "rule": "",
            "rule.apply_server_side_encryption_by_default": "ServerSideEncryptionByDefault",
        },
    ),
    "aws_s3_bucket_versioning": Counterpart("AWS::S3::Bucket", names={"bucket": "BucketName"}),
    "aws_scheduler_schedule": Counterpart("AWS::Scheduler::Schedule"),
    "aws_schemas_registry": Counterpart("AWS::EventSchemas::Registry"),
    "aws_schemas_schema": Counterpart("AWS::EventSchemas::Schema"),
    "aws_sfn_state_machine": Counterpart(
        "AWS::StepFunctions::StateMachine",
        names={
            "logging_configuration.log_destination": (
                "LoggingConfiguration.Destinations.CloudWatchLogsLogGroup.LogGroupArn"
            ),
            "type": "StateMachineType",
        },
    ),
    "aws_sns_topic": Counterpart("AWS::SNS::Topic", without={"policy": POLICY}),
    "aws_sns_topic_subscription": Counterpart("AWS::SNS::Subscription"),
    "aws_sqs_queue": Counterpart(
        "AWS::SQS::Queue",
        names={
            "max_message_size": "MaximumMessageSize",
            "message_retention_seconds": "MessageRetentionPeriod",
            "receive_wait_time_seconds": "ReceiveMessageWaitTimeSeconds",
            "visibility_timeout_seconds": "VisibilityTimeout",
        },
        without={"policy": POLICY},
    ),
    "aws_wafv2_web_acl_association": Counterpart("AWS::WAFv2::WebACLAssociation"),
}

WITHOUT_COUNTERPART = {
    "aws_iam_role_policy_attachment": "is a property of a role",
    "aws_s3_object": "is data",
}

# Limits that only botocore's service models have: service and shape.
SHAPES = {
    ("AWS::Budgets::Budget", "Budget.BudgetName"): ("budgets", "BudgetName"),
    ("AWS::DynamoDB::Table", "TableName"): ("dynamodb", "TableName"),  # the registry has the length of an ARN
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"): ("iam", "policyNameType"),
}

# Limits that only AWS's documentation has.
DOCUMENTED: dict[tuple[str, str], Limits] = {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    ("AWS::CloudWatch::Dashboard", "DashboardName"): {"maxLength": 255, "pattern": "^[A-Za-z0-9_-]+$"},
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    ("AWS::S3::Bucket", "BucketName"): {
        "minLength": 3,
        "maxLength": 63,
        "pattern": r"^(?!xn--|sthree-|amzn-s3-demo-|.*\.\.|[\d.]+$)[a-z0-9][a-z0-9.-]*[a-z0-9]$"
        r"(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)(?<!-an)",
    },
    # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    ("AWS::SNS::Topic", "TopicName"): {"maxLength": 256, "pattern": r"^[A-Za-z0-9_-]+(\.fifo)?$"},
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    ("AWS::SQS::Queue", "QueueName"): {"maxLength": 80, "pattern": r"^[A-Za-z0-9_-]+(\.fifo)?$"},
}


# Value of an argument in a plan if it is not set, as a regular expression: the provider's default, or a made-up value.
UNSET = {
    ("aws_kms_key", "rotation_period_in_days"): "0",
    ("aws_sqs_queue", "kms_data_key_reuse_period_seconds"): "0",
    ("aws_dynamodb_table", "point_in_time_recovery.recovery_period_in_days"): "0",
    ("aws_dynamodb_table", "stream_view_type"): "[a-z0-9]{8}",
    ("aws_lambda_function", "reserved_concurrent_executions"): "-1",
}


@cache
def registry() -> Mapping[str, Mapping[str, Limits]]:
    """Return the limits of each property by its path, by type."""
    types: Mapping[str, Mapping[str, Limits]] = json.loads(FILE.read_text())["types"]
    return types


@cache
def limits(kind: str, path: str) -> Limits | None:
    """Return the limits of a property, or None if the type does not have it.

    Args:
        kind: Type in the registry.
        path: The property, in any case and with or without underscores.
    """
    found = _properties(kind).get(_folded(path))
    if found is None:
        return None
    if shape := SHAPES.get((kind, found)):
        return _shape(*shape)
    return registry()[kind][found] | DOCUMENTED.get((kind, found), {})


@cache
def _properties(kind: str) -> Mapping[str, str]:
    return {_folded(path): path for path in registry()[kind]}


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _shape(service: str, name: str) -> Limits:
    shape = Loader().load_service_model(service, "service-2")["shapes"][name]
    named = {"min": "minLength", "max": "maxLength"}
    limits = {named[key]: shape[key] for key in named if key in shape}
    # Java's `(?i)` inside a pattern is an error in Python: that part excludes markup.
    pattern = re.sub(r"\|\(\?i\)[^)]*\)", ")", shape.get("pattern", ".*"))
    return {**limits, "pattern": pattern if pattern.startswith("^") else f"^{pattern}$"}


def find_property(terraform: str, path: str) -> str | None:
    """Return the property of an argument, or None if it has none.

    Args:
        terraform: A type that has a counterpart.
        path: The argument, and the blocks that it is in, such as `rule.expiration.days`.
    """
    counterpart = COUNTERPARTS[terraform]
    named, own = _named(counterpart, path)
    within = "" if named.startswith("/") else counterpart.within
    tried = [".".join(filter(None, [within, named.lstrip("/"), own]))]
    if path == "name":
        tried.append(".".join(filter(None, [within, f"{counterpart.type.rpartition(':')[2]}Name"])))
    properties = _properties(counterpart.type)
    return next((properties[_folded(one)] for one in tried if _folded(one) in properties), None)


def _named(counterpart: Counterpart, path: str) -> tuple[str, str]:
    """Return the property for the longest part of a path that is in `names`, and the part of the path after it."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if (name := counterpart.names.get(".".join(parts[:length]))) is not None:
            return name, ".".join(parts[length:])
    return "", path


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield the values that AWS refuses: as planned, and with the longest name and region that the variables admit."""
    for plan in plans:
        refused = set(_refused(plan))
        yield from refused
        found = {(one.where, one.what.rpartition("(")[2]) for one in refused}
        for one in _refused(_longest(plan)):
            if (one.where, one.what.rpartition("(")[2]) not in found:
                yield replace(one, what=f"with the longest name and region: {one.what}")


def _refused(plan: Plan) -> Iterator[Finding]:
    for resource in plan.every(*COUNTERPARTS):
        for path, name, value in compared(resource):
            for what in faults(value, limits(COUNTERPARTS[resource.type].type, name) or {}):
                yield Finding(plan.name, f"{resource.address} {path}", f"{what} ({name})")


def _longest(plan: Plan) -> Plan:
    """Return a plan with the longest name in place of its configuration's name, and the longest region."""
    name = _names().get(plan.name)
    if name is None:
        return plan
    values = json.dumps({address: resource.values for address, resource in plan.resources.items()})
    longer: Mapping[str, Any] = json.loads(values.replace(name, LONGEST_NAME).replace(plan.region, _longest_region()))
    resources = zip(plan.resources.items(), longer.values(), strict=True)
    return replace(plan, resources={address: replace(one, values=long) for (address, one), long in resources})


@cache
def _names() -> Mapping[str, str]:
    """Return the variable `name` of each configuration that has one."""
    return {one.name: one.variables["name"] for one in configurations() if "name" in one.variables}


@cache
def _longest_region() -> str:
    session = Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition)
    ]
    return max(regions, key=len)


def compared(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Yield the arguments of a resource that are compared: path, property, value."""
    for path, value in _values(resource.values):
        unset = UNSET.get((resource.type, path))
        # AWS computes an argument that no file sets: its value in a plan is made up.
        if path in written().get(resource.type, ()) and not (unset and re.fullmatch(unset, str(value))):
            name = find_property(resource.type, path)
            if name is not None:
                yield path, name, value


@cache
def written() -> Mapping[str, set[str]]:
    """Return the arguments and blocks that the Terraform code sets, by type of resource."""
    found: dict[str, set[str]] = {}
    for text in provider6.code().values():
        for use in provider6.uses(text):
            kind, path = provider6.split(use.path)
            if use.kind in ("argument", "block"):
                found.setdefault(kind, set()).add(".".join(path))
    return found


def _values(values: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the attributes that have a value, blocks and what is in them included, each with its path."""
    for name, value in values.items():
        path = f"{within}.{name}".lstrip(".")
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            yield path, value
            for one in value:
                yield from _values(one, path)
        elif value not in (None, "", [], {}):
            yield path, value


def faults(value: object, within: Limits) -> Iterator[str]:
    """Yield the limits that a value breaks, with the value."""
    if isinstance(value, list):
        for key, wrong in (
            ("minItems", len(value) < within.get("minItems", 0)),
            ("maxItems", _above(len(value), within, "maxItems")),
        ):
            if wrong:
                yield f"{len(value)} items: AWS's {key} is {within[key]}"
        for one in value:
            if not isinstance(one, dict | list):
                yield from faults(one, within)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield from _number(value, within)
    elif isinstance(value, str):
        yield from _string(value, within)


def _above(value: float, within: Limits, key: str) -> bool:
    return key in within and value > within[key]


def _number(value: float, within: Limits) -> Iterator[str]:
    if "minimum" in within and value < within["minimum"]:
        yield f"{value}: AWS's minimum is {within['minimum']}"
    if _above(value, within, "maximum"):
        yield f"{value}: AWS's maximum is {within['maximum']}"
    if "enum" in within and value not in within["enum"]:
        yield f"{value}: AWS takes one of {', '.join(map(str, within['enum']))}"


def _string(value: str, within: Limits) -> Iterator[str]:
    shown = value[:SHOWN]
    if "minimum" in within or "maximum" in within:
        # Terraform has some numbers as text.
        if re.fullmatch(r"-?\d+(\.\d+)?", value):
            yield from _number(float(value), within)
        return
    if len(value) < within.get("minLength", 0):
        yield f"`{shown}`: {len(value)} characters, AWS's minimum is {within['minLength']}"
    if _above(len(value), within, "maxLength"):
        yield f"`{shown}`: {len(value)} characters, AWS's maximum is {within['maxLength']}"
    if "enum" in within and value not in within["enum"]:
        yield f"`{shown}`: AWS takes one of {', '.join(map(str, within['enum']))}"
    if "pattern" in within and not re.search(python_pattern(within["pattern"]), value):
        yield f"`{shown}` does not match AWS's pattern {within['pattern']}"


@cache
def python_pattern(pattern: str) -> str:
    """Return a pattern with the classes that Python's expressions do not know replaced by wider ones."""
    for unknown, known in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(unknown, known)
    return pattern
