"""`darkroom doctor`: look over a pipeline, and say what is wrong with it and what to do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from platform import python_version
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from darkroom import output
from darkroom.dlq import waiting
from darkroom.errors import Exit, code_of, explain
from darkroom.options import Json, Name
from darkroom.replay import Archive, archive_name
from darkroom.resources import Dlq, Resources

_MISSING = {"404", "NoSuchBucket", "StateMachineDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


class Verdict(StrEnum):
    """What a check comes to."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"  # it could not be asked


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes:
        about: What was looked at.
        said: What there is and, unless that is good, what to do.
    """

    about: str
    verdict: Verdict
    said: str


Check = Callable[[Resources], Iterator[Finding]]


def doctor(name: Name, as_json: Json = False) -> Exit:
    """Look over a pipeline: everything there, everything on, nothing resting, somebody told. Exit code 3 if not."""
    resources = Resources(name)
    findings = list(examine(resources))
    for finding in findings if as_json else ():
        output.line({"about": finding.about, "verdict": finding.verdict, "said": finding.said})
    if not as_json:
        output.table(("", "about", "found"), [(f.verdict, f.about, f.said) for f in findings])
    return Exit.FOUND if any(finding.verdict is Verdict.BAD for finding in findings) else Exit.DONE


def examine(resources: Resources) -> Iterator[Finding]:
    """All checks; one that AWS does not answer is unknown, and the others go on."""
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


def _versions(_resources: Resources) -> Iterator[Finding]:
    yield Finding("versions", Verdict.GOOD, f"Python {python_version()}, boto3 {version('boto3')}")


def _credentials(resources: Resources) -> Iterator[Finding]:
    yield Finding("credentials", Verdict.GOOD, f"{resources.identity} in {resources.region}")


def _buckets(resources: Resources) -> Iterator[Finding]:
    for bucket in (resources.originals, resources.processed):
        resources.s3.head_bucket(Bucket=bucket)
        yield Finding(f"bucket {bucket}", Verdict.GOOD, "there")
    # Without notifications to EventBridge the key is not there, whatever the stubs say.
    notifies: Mapping[str, Any] = resources.s3.get_bucket_notification_configuration(Bucket=resources.originals)
    if "EventBridgeConfiguration" not in notifies:
        yield Finding("events of the originals", Verdict.BAD, "not sent to EventBridge: apply Terraform again")


def _table(resources: Resources) -> Iterator[Finding]:
    status = resources.dynamodb.describe_table(TableName=resources.table)["Table"]["TableStatus"]
    yield _judge(f"table {resources.table}", status, {"ACTIVE", "UPDATING"}, "wait, or look at it in the console")


def _rules(resources: Resources) -> Iterator[Finding]:
    for bus, prefix in (("default", f"{resources.name}-uploads-"), (resources.name, "")):
        pages = resources.events.get_paginator("list_rules").paginate(EventBusName=bus)
        rules = [rule for page in pages for rule in page["Rules"] if rule["Name"].startswith(prefix)]
        off = [rule["Name"] for rule in rules if rule["State"] == "DISABLED"]
        if not rules or off:
            said = f"off: {', '.join(off)}: enable it" if off else "there are none: apply Terraform again"
            yield Finding(f"rules of the bus {bus}", Verdict.BAD, said)
        else:
            yield Finding(f"rules of the bus {bus}", Verdict.GOOD, f"{len(rules)}, all on")


def _function(resources: Resources) -> Iterator[Finding]:
    sources = resources.functions.list_event_source_mappings(EventSourceArn=resources.uploads_queue_arn)
    states = [source["State"] for source in sources["EventSourceMappings"]]
    yield _judge(
        f"function {resources.function}",
        ", ".join(states) or "reads no queue",
        {"Enabled"},
        "enable its event source, or apply Terraform again",
    )


def _concurrency(resources: Resources) -> Iterator[Finding]:
    limits = resources.functions.get_account_settings()["AccountLimit"]
    left, most = limits["UnreservedConcurrentExecutions"], limits["ConcurrentExecutions"]
    verdict = Verdict.GOOD if left >= 1 else Verdict.BAD
    advice = "" if verdict is Verdict.GOOD else ": free some, or ask for a higher quota"
    yield Finding("quota of concurrent functions", verdict, f"{left} of {most} unreserved{advice}")


def _workflow(resources: Resources) -> Iterator[Finding]:
    status = resources.workflows.describe_state_machine(stateMachineArn=resources.workflow_arn)["status"]
    yield _judge("workflow", status, {"ACTIVE"}, "apply Terraform again")


def _archives(resources: Resources) -> Iterator[Finding]:
    for archive in Archive:
        found = resources.events.describe_archive(ArchiveName=archive_name(resources, archive))
        yield _judge(f"archive of {archive}", found["State"], {"ENABLED"}, "enable it, or nothing can be replayed")


def _dead_letters(resources: Resources) -> Iterator[Finding]:
    for dlq in Dlq:
        count = waiting(resources, dlq)
        said = f"{count} messages: darkroom dlq show {dlq}" if count else "empty"
        yield Finding(f"dead letters of {dlq}", Verdict.BAD if count else Verdict.GOOD, said)


def _alarms(resources: Resources) -> Iterator[Finding]:
    pages = resources.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{resources.name}-")
    alarms = [alarm for page in pages for alarm in page.get("MetricAlarms", [])]
    ringing = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
    if not alarms:
        yield Finding("alarms", Verdict.BAD, f"there are none named {resources.name}-*: nobody is told of dead letters")
        return
    unwatched = [dlq for dlq in Dlq if f"{resources.name}-dlq-{dlq}" not in {alarm["AlarmName"] for alarm in alarms}]
    if unwatched:
        yield Finding("alarms", Verdict.BAD, f"none for the dead letters of {', '.join(unwatched)}")
    said = f"ringing: {', '.join(ringing)}" if ringing else f"{len(alarms)}, none ringing"
    yield Finding("alarms", Verdict.BAD if ringing else Verdict.GOOD, said)


def _judge(about: str, state: str, good: set[str], advice: str) -> Finding:
    if state in good:
        return Finding(about, Verdict.GOOD, state.lower())
    return Finding(about, Verdict.BAD, f"{state}: {advice}")


CHECKS: tuple[Check, ...] = (
    _versions,
    _credentials,
    _buckets,
    _table,
    _rules,
    _function,
    _concurrency,
    _workflow,
    _archives,
    _dead_letters,
    _alarms,
)
