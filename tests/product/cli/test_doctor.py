from __future__ import annotations

import json
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from darkroom import originals
from darkroom.alarms import ALWAYS, alarms
from darkroom.cli import main
from darkroom.doctor import Finding, Verdict, examine

if TYPE_CHECKING:
    from pathlib import Path

    from darkroom.resources import Resources


def about(resources: Resources, what: str) -> list[Finding]:
    return [finding for finding in examine(resources) if finding.about.startswith(what)]


def watch(
    resources: Resources, key: str, *, action: str | None = "arn:aws:sns:eu-central-1:123456789012:alarms"
) -> str:
    resources.cloudwatch.put_metric_alarm(
        AlarmName=key,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[action] if action else [],
    )
    resources.cloudwatch.set_alarm_state(AlarmName=key, StateValue="OK", StateReason="nothing there")
    return key


def verdicts(resources: Resources, what: str) -> list[Verdict]:
    return [finding.verdict for finding in about(resources, what)]


def test_every_alarm_is_checked(resources: Resources) -> None:
    (none,) = about(resources, "alarms")
    assert none.verdict is Verdict.BAD
    *keys, last = ALWAYS
    for key in keys:
        watch(resources, f"{resources.name}-{key}")
    missing, _ = about(resources, "alarms")
    assert (missing.verdict, last in missing.said) == (Verdict.BAD, True)
    name = watch(resources, f"{resources.name}-{last}")
    assert verdicts(resources, "alarms") == [Verdict.GOOD]
    resources.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a message")
    (active,) = about(resources, "alarms")
    assert (active.verdict, active.said) == (Verdict.BAD, f"in ALARM: {name}")


def test_alarms_of_another_pipeline_do_not_count(resources: Resources) -> None:
    for key in ALWAYS:
        other = watch(resources, f"{resources.name}-2-{key}")
    resources.cloudwatch.set_alarm_state(AlarmName=other, StateValue="ALARM", StateReason="a message")
    assert [finding.said[:5] for finding in about(resources, "alarms")] == ["none:"]
    for key in ALWAYS:
        watch(resources, f"{resources.name}-{key}")
    (alone,) = about(resources, "alarms")
    assert (alone.verdict, alone.said) == (Verdict.GOOD, f"{len(ALWAYS)}, none in ALARM")
    assert len(alarms(resources)) == len(ALWAYS), "the number in the bill"


def test_an_alarm_without_action_is_a_warning(resources: Resources) -> None:
    for key in ALWAYS:
        name = watch(resources, f"{resources.name}-{key}")
    assert verdicts(resources, "actions of alarms") == [Verdict.GOOD]
    resources.cloudwatch.disable_alarm_actions(AlarmNames=[name])
    (disabled,) = about(resources, "actions of alarms")
    assert (disabled.verdict, name in disabled.said) == (Verdict.WARNING, True)
    for key in ALWAYS:
        watch(resources, f"{resources.name}-{key}", action=None)
    (silent,) = about(resources, "actions of alarms")
    assert (silent.verdict, "observe.alarm_topic_arns" in silent.said) == (Verdict.WARNING, True)


@pytest.mark.parametrize(
    ("unreserved", "reserved", "verdict"),
    [
        (1000, None, Verdict.GOOD),
        (10, None, Verdict.GOOD),
        (9, None, Verdict.BAD),
        (0, None, Verdict.BAD),
        (0, 10, Verdict.GOOD),
        (1000, 5, Verdict.BAD),
    ],
)
def test_the_quota_covers_all_concurrent_calls(
    resources: Resources, unreserved: int, reserved: int | None, verdict: Verdict
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "ListEventSourceMappings": {
            "EventSourceMappings": [{"State": "Enabled", "ScalingConfig": {"MaximumConcurrency": 10}}]
        },
        "GetFunctionConcurrency": {} if reserved is None else {"ReservedConcurrentExecutions": reserved},
        "GetAccountSettings": {
            "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": unreserved}
        },
    }
    answered = AWSResponse("", 200, HTTPHeaders(), None)
    events: Any = resources.functions.meta.events
    for operation, answer in answers.items():
        events.register(f"before-call.lambda.{operation}", lambda answer=answer, **_: (answered, answer))
    (quota,) = about(resources, "quota of concurrent functions")
    assert quota.verdict is verdict
    assert ("max_concurrency" in quota.said) is (verdict is Verdict.BAD)


def make_api(resources: Resources, *, logged: bool) -> None:
    """Create the API with a stage, with or without logs."""
    api = resources.apis.create_rest_api(name=resources.api)["id"]
    (root,) = resources.apis.get_resources(restApiId=api)["items"]
    method = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
    resources.apis.put_method(**method, authorizationType="NONE")
    resources.apis.put_integration(**method, type="MOCK")
    deployment = resources.apis.create_deployment(restApiId=api)["id"]
    resources.apis.create_stage(restApiId=api, stageName="v1", deploymentId=deployment)
    if logged:
        group = resources.arn("logs", f"log-group:{resources.api_log_group}")
        operation = {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": group}
        resources.apis.update_stage(restApiId=api, stageName="v1", patchOperations=[operation])


def set_role(resources: Resources, arn: str) -> None:
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}
    resources.apis.update_account(patchOperations=[operation])


def test_no_api_has_no_log(resources: Resources) -> None:
    resources.apis.create_rest_api(name=f"another-{resources.api}")
    assert about(resources, "log of the API") == []


def test_an_api_without_a_log_is_a_warning(resources: Resources) -> None:
    make_api(resources, logged=False)
    (found,) = about(resources, "log of the API")
    assert found.verdict is Verdict.WARNING
    assert "set api.logs" in found.said


def test_an_api_log_needs_a_role_that_exists(resources: Resources) -> None:
    make_api(resources, logged=True)
    set_role(resources, "")
    (unset,) = about(resources, "log of the API")
    assert (unset.verdict, "no role is set" in unset.said) == (Verdict.BAD, True)
    assert "terraform/examples/api_account_logging" in unset.said

    role = resources.iam.create_role(RoleName="logs", AssumeRolePolicyDocument="{}", Path="/api/")["Role"]["Arn"]
    set_role(resources, role)
    assert verdicts(resources, "log of the API") == [Verdict.GOOD]

    resources.iam.delete_role(RoleName="logs")
    (deleted,) = about(resources, "log of the API")
    assert (deleted.verdict, f"the role {role} does not exist" in deleted.said) == (Verdict.BAD, True)


def test_doctor_reports_versions(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    said = capsys.readouterr().out
    for program in ("darkroom", "boto3"):
        assert f"{program} {version(program)}" in said


def test_useless_credentials_are_bad_with_advice(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def credentials() -> tuple[str, str]:
        assert main(["doctor", "--json"]) == 3
        found = map(json.loads, capsys.readouterr().out.splitlines())
        return next((line["verdict"], line["said"]) for line in found if line["about"] == "credentials")

    assert credentials()[0] == "good"
    session = boto3.Session()

    def expired(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "it has"}}, "GetCallerIdentity")

    session.events.register("before-call.sts.GetCallerIdentity", expired)
    with monkeypatch.context() as patched:
        patched.setattr(boto3, "Session", lambda **_: session)
        verdict, said = credentials()
    assert (verdict, "aws sso login" in said) == ("bad", True)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    verdict, said = credentials()
    assert (verdict, "set AWS_PROFILE" in said) == ("bad", True)


def test_a_missing_pipeline_is_bad(aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 3
    assert "no pipeline 'unit'" in capsys.readouterr().out


def test_a_missing_part_is_bad_and_checks_go_on(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    resources.dynamodb.delete_table(TableName=resources.table)
    resources.s3.delete_bucket(Bucket=resources.processed)
    assert main(["doctor", "--json"]) == 3
    found = {line["about"]: line["verdict"] for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert found["table"] == found["buckets"] == "bad"
    assert found["DLQ uploads"] == "good"


def test_a_young_bucket_is_a_warning_with_the_repair(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    (young,) = about(resources, "age of the originals' bucket")
    assert young.verdict is Verdict.WARNING
    assert "S3 takes about five minutes" in young.said
    assert young.said.endswith("darkroom reconcile --name unit --grace 0 --repair")
    monkeypatch.setattr(originals, "SETTLING", timedelta(0))
    assert about(resources, "age of the originals' bucket") == []


def test_the_age_is_unknown_without_permission(resources: Resources) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListBuckets")

    resources.s3.meta.events.register("before-call.s3.ListBuckets", refuse)
    assert verdicts(resources, "age of originals") == [Verdict.UNKNOWN]
    assert verdicts(resources, "bucket ") == [Verdict.GOOD, Verdict.GOOD]


def test_an_unconfirmed_subscription_is_a_warning(resources: Resources) -> None:
    assert [finding.said for finding in about(resources, "subscriptions")] == ["none"]
    queue = resources.arn("sqs", f"{resources.name}-uploads")
    confirmed = {"SubscriptionArn": f"{resources.topic_arn}:1", "Protocol": "sqs", "Endpoint": queue}
    pending = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "me@example.com"}

    found = [confirmed]
    answered = AWSResponse("", 200, HTTPHeaders(), None)
    events: Any = resources.sns.meta.events
    events.register("before-call.sns.ListSubscriptionsByTopic", lambda **_: (answered, {"Subscriptions": found}))
    (all_confirmed,) = about(resources, "subscriptions")
    assert (all_confirmed.verdict, all_confirmed.said) == (Verdict.GOOD, "1, all confirmed")
    found.append(pending)
    (waiting,) = about(resources, "subscriptions")
    assert waiting.verdict is Verdict.WARNING
    assert "me@example.com is not confirmed" in waiting.said
    assert f"aws sns subscribe --topic-arn {resources.topic_arn} --protocol email" in waiting.said


def test_topic_without_subscription_is_a_warning(resources: Resources) -> None:
    topic = resources.sns.create_topic(Name="alarms")["TopicArn"]
    for key in ALWAYS:
        watch(resources, f"{resources.name}-{key}", action=topic)
    (silent,) = about(resources, f"topic {topic}")
    assert (silent.verdict, silent.said[:15]) == (Verdict.WARNING, "0 subscriptions")
    resources.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=resources.uploads_queue_arn)
    assert verdicts(resources, f"topic {topic}") == [Verdict.GOOD]
    resources.sns.delete_topic(TopicArn=topic)
    assert verdicts(resources, "alarm topics") == [Verdict.BAD], "the topic does not exist"


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Updating"])
def test_an_unfinished_event_source_is_a_warning(resources: Resources, state: str) -> None:
    answered = AWSResponse("", 200, HTTPHeaders(), None)
    events: Any = resources.functions.meta.events
    sources = {"EventSourceMappings": [{"State": state}]}
    events.register("before-call.lambda.ListEventSourceMappings", lambda **_: (answered, sources))
    (found, *_) = about(resources, "function ")
    assert (found.verdict, "Check again in a minute" in found.said) == (Verdict.WARNING, True)


def test_a_bucket_without_events_is_bad(resources: Resources) -> None:
    assert [finding.verdict for finding in about(resources, "events of the originals")] == [Verdict.BAD]
