from __future__ import annotations

import json
from typing import TYPE_CHECKING

from darkroom.cli import main
from darkroom.doctor import Finding, Verdict, examine
from darkroom.resources import Dlq

if TYPE_CHECKING:
    import pytest

    from darkroom.resources import Resources


def about(resources: Resources, what: str) -> list[Finding]:
    return [finding for finding in examine(resources) if finding.about.startswith(what)]


def watch(resources: Resources, dlq: Dlq) -> str:
    name = f"{resources.name}-dlq-{dlq}"
    resources.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    resources.cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="nothing there")
    return name


def test_alarms_are_asked_for_every_dead_letter_queue(resources: Resources) -> None:
    (none,) = about(resources, "alarms")
    assert none.verdict is Verdict.BAD
    *names, last = Dlq
    for dlq in names:
        watch(resources, dlq)
    assert [finding.verdict for finding in about(resources, "alarms")] == [Verdict.BAD, Verdict.GOOD]
    assert str(last) in about(resources, "alarms")[0].said
    name = watch(resources, last)
    assert [finding.verdict for finding in about(resources, "alarms")] == [Verdict.GOOD]
    resources.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a letter")
    (ringing,) = about(resources, "alarms")
    assert (ringing.verdict, ringing.said) == (Verdict.BAD, f"ringing: {name}")


def test_what_is_missing_is_bad_and_the_other_checks_go_on(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    resources.dynamodb.delete_table(TableName=resources.table)
    resources.s3.delete_bucket(Bucket=resources.processed)
    assert main(["doctor", "--json"]) == 3
    told = {line["about"]: line["verdict"] for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert told["table"] == told["buckets"] == "bad"
    assert told["dead letters of uploads"] == "good"


def test_a_bucket_that_tells_nobody_is_bad(resources: Resources) -> None:
    assert [finding.verdict for finding in about(resources, "events of the originals")] == [Verdict.BAD]
