"""`darkroom doctor`: check a pipeline, and report what is wrong and what to do."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from platform import python_version
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from darkroom import output
from darkroom.alarms import ALWAYS, alarm_name, alarms
from darkroom.dlq import waiting
from darkroom.errors import Exit, OperatorError, code_of, explain
from darkroom.options import Json, Name
from darkroom.originals import repair_command, say_young, settled_at
from darkroom.replay import Archive, archive_name
from darkroom.resources import Dlq, Resources

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

_ACCOUNT_ROLE = (
    "API Gateway writes logs with one role for all APIs of the account and region: "
    "apply terraform/examples/api_account_logging"
)
_MISSING = {"404", "NoSuchBucket", "StateMachineDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


class Verdict(StrEnum):
    """Result of a check."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"  # works, with a risk
    UNKNOWN = "unknown"  # AWS did not answer


@dataclass(frozen=True)
class Finding:
    """Finding of a check.

    Attributes:
        about: Subject of the check.
        said: Result and, unless it is good, what to do.
    """

    about: str
    verdict: Verdict
    said: str


Check = Callable[[Resources], Iterator[Finding]]


def doctor(name: Name, as_json: Json = False) -> Exit:
    """Check that all parts exist and are enabled, DLQs are empty, subscriptions are confirmed and alarms notify.

    Exit code 3 if a check is bad. Warnings and checks that AWS does not answer leave it 0.
    """
    said = f"darkroom {version('darkroom')}, Python {python_version()}, boto3 {version('boto3')}"
    findings = [Finding("versions", Verdict.GOOD, said), *_pipeline(name)]
    for finding in findings if as_json else ():
        output.line({"about": finding.about, "verdict": finding.verdict, "said": finding.said})
    if not as_json:
        output.table(("", "about", "found"), [(f.verdict, f.about, f.said) for f in findings])
    return Exit.FOUND if any(finding.verdict is Verdict.BAD for finding in findings) else Exit.DONE


def _pipeline(name: str) -> Iterator[Finding]:
    """Check the access to the pipeline, and then everything else."""
    try:
        resources = Resources(name)
    except OperatorError as error:
        yield Finding(f"pipeline {name}", Verdict.BAD, str(error))
    except (BotoCoreError, ClientError) as error:
        yield Finding("credentials", Verdict.BAD, explain(error))
    else:
        yield Finding("credentials", Verdict.GOOD, f"{resources.identity} in {resources.region}")
        yield from examine(resources)


def examine(resources: Resources) -> Iterator[Finding]:
    """Run all checks. One that AWS does not answer is unknown, and the others go on."""
    for check in CHECKS:
        try:
            yield from check(resources)
        except ClientError as error:
            missing = code_of(error) in _MISSING or "NotFound" in code_of(error)
            yield Finding(_name(check), Verdict.BAD if missing else Verdict.UNKNOWN, explain(error))
        except BotoCoreError as error:
            yield Finding(_name(check), Verdict.UNKNOWN, explain(error))


def _name(check: Check) -> str:
    return check.__name__.strip("_").replace("_", " ")


def _buckets(resources: Resources) -> Iterator[Finding]:
    for bucket in (resources.originals, resources.processed):
        resources.s3.head_bucket(Bucket=bucket)
        yield Finding(f"bucket {bucket}", Verdict.GOOD, "exists")
    # The stubs say that the key is always there. It is missing without notifications to EventBridge.
    notifies: Mapping[str, Any] = resources.s3.get_bucket_notification_configuration(Bucket=resources.originals)
    if "EventBridgeConfiguration" not in notifies:
        yield Finding("events of the originals", Verdict.BAD, "not sent to EventBridge: apply Terraform again")


def _age_of_originals(resources: Resources) -> Iterator[Finding]:
    """Report a young bucket: S3 may not send its events yet."""
    if settled := settled_at(resources):
        said = f"{say_young(resources, settled)}; send lost events again: {repair_command(resources)}"
        yield Finding("age of the originals' bucket", Verdict.WARNING, said)


def _table(resources: Resources) -> Iterator[Finding]:
    status = resources.dynamodb.describe_table(TableName=resources.table)["Table"]["TableStatus"]
    yield _judge(f"table {resources.table}", status, {"ACTIVE", "UPDATING"}, "check it in the AWS console")


def _rules(resources: Resources) -> Iterator[Finding]:
    for bus, prefix in (("default", f"{resources.name}-uploads-"), (resources.name, "")):
        pages = resources.events.get_paginator("list_rules").paginate(EventBusName=bus)
        rules = [rule for page in pages for rule in page["Rules"] if rule["Name"].startswith(prefix)]
        off = [rule["Name"] for rule in rules if rule["State"] == "DISABLED"]
        if not rules or off:
            said = f"disabled: {', '.join(off)}: enable it" if off else "none: apply Terraform again"
            yield Finding(f"rules of the bus {bus}", Verdict.BAD, said)
        else:
            yield Finding(f"rules of the bus {bus}", Verdict.GOOD, f"{len(rules)}, all enabled")


def _function(resources: Resources) -> Iterator[Finding]:
    sources = resources.functions.list_event_source_mappings(EventSourceArn=resources.uploads_queue_arn)
    states = [source["State"] for source in sources["EventSourceMappings"]]
    yield _judge(
        f"function {resources.function}",
        ", ".join(states) or "no event source",
        {"Enabled"},
        "enable its event source, or apply Terraform again",
    )


def _concurrency(resources: Resources) -> Iterator[Finding]:
    """Check that all calls that the event source may make can run: messages of throttled calls end in the DLQ."""
    sources = resources.functions.list_event_source_mappings(EventSourceArn=resources.uploads_queue_arn)
    caps = (source.get("ScalingConfig", {}).get("MaximumConcurrency", 1) for source in sources["EventSourceMappings"])
    wanted = sum(caps)
    reserved = resources.functions.get_function_concurrency(FunctionName=resources.function)
    limits = resources.functions.get_account_settings()["AccountLimit"]
    room = reserved.get("ReservedConcurrentExecutions", limits["UnreservedConcurrentExecutions"])
    whose = "reserved" if "ReservedConcurrentExecutions" in reserved else "unreserved"
    said = f"{room} {whose} of the account's {limits['ConcurrentExecutions']}, {wanted} needed"
    if room >= max(wanted, 1):
        yield Finding("quota of concurrent functions", Verdict.GOOD, said)
    else:
        advice = "request a higher quota (lambda, L-B99A9384), or lower process_image.max_concurrency"
        yield Finding("quota of concurrent functions", Verdict.BAD, f"{said}: {advice}")


def _workflow(resources: Resources) -> Iterator[Finding]:
    status = resources.workflows.describe_state_machine(stateMachineArn=resources.workflow_arn)["status"]
    yield _judge("workflow", status, {"ACTIVE"}, "apply Terraform again")


def _api_logs(resources: Resources) -> Iterator[Finding]:
    """Check that the API logs its requests, and that API Gateway has a role for writing them."""
    pages = resources.apis.get_paginator("get_rest_apis").paginate()
    for api in (api["id"] for page in pages for api in page["items"] if api["name"] == resources.api):
        about = f"log of the API {resources.api}"
        if not all("accessLogSettings" in stage for stage in resources.apis.get_stages(restApiId=api)["item"]):
            yield Finding(about, Verdict.WARNING, f"requests are not logged: set api.logs. {_ACCOUNT_ROLE}")
            continue
        role = resources.apis.get_account().get("cloudwatchRoleArn")
        if role and _is_role(resources, role):
            yield Finding(about, Verdict.GOOD, "written")
        else:
            said = f"the role {role} does not exist" if role else "no role is set"
            yield Finding(about, Verdict.BAD, f"not written: {said}. {_ACCOUNT_ROLE}")


def _is_role(resources: Resources, arn: str) -> bool:
    try:
        resources.iam.get_role(RoleName=arn.rpartition("/")[2])
    except resources.iam.exceptions.NoSuchEntityException:
        return False
    return True


def _archives(resources: Resources) -> Iterator[Finding]:
    for archive in Archive:
        found = resources.events.describe_archive(ArchiveName=archive_name(resources, archive))
        yield _judge(f"archive of {archive}", found["State"], {"ENABLED"}, "enable it, or events cannot be replayed")


def _dead_letters(resources: Resources) -> Iterator[Finding]:
    for dlq in Dlq:
        count = waiting(resources, dlq)
        said = f"{count} messages: darkroom dlq show {dlq}" if count else "empty"
        yield Finding(f"DLQ {dlq}", Verdict.BAD if count else Verdict.GOOD, said)


def _subscriptions(resources: Resources) -> Iterator[Finding]:
    """Report unconfirmed subscriptions: SNS sends them nothing, and counts no failure."""
    found = list(resources.subscriptions(resources.topic_arn))
    pending = [one for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    for one in pending:
        to = ["--protocol", one["Protocol"], "--notification-endpoint", one["Endpoint"]]
        again = shlex.join(["aws", "sns", "subscribe", "--topic-arn", resources.topic_arn, *to])
        advice = f"follow the link in AWS's message, within two days. To get a new link: {again}"
        yield Finding(
            "subscriptions", Verdict.WARNING, f"{one['Endpoint']} is not confirmed and gets nothing: {advice}"
        )
    if not pending:
        yield Finding("subscriptions", Verdict.GOOD, f"{len(found)}, all confirmed" if found else "none")


def _alarms(resources: Resources) -> Iterator[Finding]:
    found = alarms(resources)
    if not found:
        yield Finding("alarms", Verdict.BAD, "none: no one is notified of messages in DLQs. Set the variable `observe`")
        return
    if missing := [alarm_name(resources, key) for key in ALWAYS if key not in found]:
        yield Finding("alarms", Verdict.BAD, f"missing: {', '.join(missing)}: apply Terraform again")
    active = [alarm["AlarmName"] for alarm in found.values() if alarm["StateValue"] == "ALARM"]
    said = f"in ALARM: {', '.join(active)}" if active else f"{len(found)}, none in ALARM"
    yield Finding("alarms", Verdict.BAD if active else Verdict.GOOD, said)
    silent = [alarm["AlarmName"] for alarm in found.values() if not _notifies(alarm)]
    if silent:
        which = "all" if len(silent) == len(found) else ", ".join(silent)
        advice = "set topics in observe.alarm_topic_arns, or enable their actions"
        yield Finding("actions of alarms", Verdict.WARNING, f"no one is notified by: {which}: {advice}")
    else:
        yield Finding("actions of alarms", Verdict.GOOD, "each alarm has an enabled action")


def _alarm_topics(resources: Resources) -> Iterator[Finding]:
    """Report topics of alarms without a confirmed subscription."""
    topics = {
        action
        for alarm in alarms(resources).values()
        for action in alarm.get("AlarmActions", [])
        if action.split(":")[2] == "sns"
    }
    for topic in sorted(topics):
        found = [subscription["SubscriptionArn"] for subscription in resources.subscriptions(topic)]
        confirmed = [arn for arn in found if arn != "PendingConfirmation"]
        if confirmed:
            yield Finding(f"topic {topic}", Verdict.GOOD, f"{len(confirmed)} confirmed subscriptions")
        else:
            said = f"{len(found)} subscriptions, none confirmed: alarms notify no one. Confirm one"
            yield Finding(f"topic {topic}", Verdict.WARNING, said)


def _notifies(alarm: "MetricAlarmTypeDef") -> bool:
    return bool(alarm.get("AlarmActions")) and alarm.get("ActionsEnabled", True)


# States that pass soon after an apply.
_SOON = {"Creating", "Enabling", "Updating", "CREATING", "UPDATING"}


def _judge(about: str, state: str, good: set[str], advice: str) -> Finding:
    if state in good:
        return Finding(about, Verdict.GOOD, state.lower())
    if state in _SOON:
        return Finding(about, Verdict.WARNING, f"{state.lower()}: AWS has not finished. Check again in a minute")
    return Finding(about, Verdict.BAD, f"{state}: {advice}")


CHECKS: tuple[Check, ...] = (
    _buckets,
    _age_of_originals,
    _table,
    _rules,
    _function,
    _concurrency,
    _workflow,
    _api_logs,
    _archives,
    _dead_letters,
    _subscriptions,
    _alarms,
    _alarm_topics,
)
