"""Judgement of AWS's answers by the smoke test's steps that no emulator can take."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from darkroom.workflow import walk
from scripts import ROOT
from scripts.aws_checks.states_language import states
from scripts.smoke import checks as smoke_checks
from scripts.smoke.checks import STEPS, Smoke, Step, failure, outcome_events
from scripts.smoke.facts import Facts, Outcome, SmokeError
from scripts.smoke.policies import IDENTITY, RESOURCE, Finding, Policy, policies_of, validate, without_service
from scripts.smoke.roles import plan_policies
from scripts.smoke.workflow import StateTester, attempts_of, errors_of, outcome_of, retrier_of, slowed
from scripts.terraform.stack import TerraformError
from tests.support.record_image import rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PAGE = (ROOT / "docs" / "aws-assumptions.md").read_text()

SHAPE: Any = botocore.session.get_session().get_service_model("stepfunctions").operation_model("TestState").input_shape

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage"}]})


# The document and the steps


def test_the_document_names_every_step_and_no_other() -> None:
    table = PAGE.partition("## Settled by the smoke test")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert {len(row) for row in rows} == {3}
    named = [re.findall(r"`([a-z-]+)`", step) for _, _, step in rows]
    assert all(named), "each assumption names the step that settles it"
    assert {step for steps in named for step in steps} == {step.name for step in STEPS}
    assert all("http" in source or ".md" in source for _, source, _ in rows), "each assumption has a source"


def test_only_declared_steps_may_be_skipped() -> None:
    aws, other = (Facts(engine, "eu-central-1", "2026-11-26") for engine in ("AWS", "http://127.0.0.1:4566"))
    common, special = (Step("step", Smoke.keys, aws_only=aws_only) for aws_only in (False, True))
    assert failure(special, aws) is Outcome.FAILED
    assert failure(common, other) is Outcome.FAILED
    assert failure(special, other) is Outcome.NOT_HERE
    assert [step.name for step in STEPS if step.name == "second-plan" and step.aws_only] == []


# Policies


def resource(kind: str, **values: object) -> dict[str, object]:
    return {"mode": "managed", "type": kind, "address": f"{kind}.this", "values": values}


def test_policies_of_a_state_are_found() -> None:
    data = {**resource("aws_iam_policy_document", json=ALLOW), "mode": "data"}
    module = {
        "resources": [resource("aws_iam_role", assume_role_policy=ALLOW, name="{", tags=None), data],
        "child_modules": [
            {"resources": [resource("aws_iam_role_policy", policy=ALLOW), resource("aws_kms_key", policy=ALLOW)]},
            {"resources": [resource("aws_sfn_state_machine", definition='{"States": {}}')]},
            {"child_modules": [{"resources": [resource("aws_s3_bucket_policy", policy=ALLOW)]}]},
        ],
    }
    assert list(policies_of(module)) == [
        Policy("aws_iam_role.this.assume_role_policy", ALLOW, RESOURCE, "AWS::IAM::AssumeRolePolicyDocument"),
        Policy("aws_iam_role_policy.this.policy", ALLOW, IDENTITY),
        Policy("aws_kms_key.this.policy", ALLOW, RESOURCE),
        Policy("aws_s3_bucket_policy.this.policy", ALLOW, RESOURCE, "AWS::S3::Bucket"),
    ]


def test_all_pages_of_findings_are_read() -> None:
    client = boto3.Session(region_name="eu-central-1").client("accessanalyzer")
    position = {"line": 1, "column": 1, "offset": 1}
    location = {"path": [{"value": "Statement"}], "span": {"start": position, "end": position}}

    def finding(kind: str) -> dict[str, object]:
        return {
            "findingType": kind,
            "issueCode": f"A_{kind}",
            "findingDetails": "why",
            "learnMoreLink": "https://docs.aws.amazon.com",
            "locations": [location],
        }

    asked = {"policyDocument": ALLOW, "policyType": RESOURCE, "validatePolicyResourceType": "AWS::S3::Bucket"}
    with Stubber(client) as stub:
        stub.add_response("validate_policy", {"findings": [finding("SUGGESTION")], "nextToken": "more"}, asked)
        kinds = ("WARNING", "ERROR", "SECURITY_WARNING")
        stub.add_response(
            "validate_policy", {"findings": [finding(kind) for kind in kinds]}, {**asked, "nextToken": "more"}
        )
        stub.add_response("validate_policy", {"findings": []}, {"policyDocument": ALLOW, "policyType": IDENTITY})
        found = validate(client, [Policy("b.policy", ALLOW, RESOURCE, "AWS::S3::Bucket"), Policy("r", ALLOW, IDENTITY)])
        stub.assert_no_pending_responses()
    assert [(one.place, one.kind, one.code) for one in found] == [("b.policy", kind, f"A_{kind}") for kind in kinds]


def statement(principal: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}


def test_only_the_service_is_taken_out_of_a_policy() -> None:
    root, both = {"AWS": "arn:aws:iam::111122223333:root"}, {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
    everybody = statement("*")
    policy = {
        "Version": "2012-10-17",
        "Statement": [statement(root), statement({"Service": "events.amazonaws.com"}), statement(both), everybody],
    }
    left = json.loads(without_service(json.dumps(policy), "events.amazonaws.com"))
    assert left == {
        "Version": "2012-10-17",
        "Statement": [statement(root), statement({"Service": ["sns.amazonaws.com"]}), everybody],
    }
    with pytest.raises(ValueError, match=r"no statement of the policy names lambda\.amazonaws\.com"):
        without_service(json.dumps(policy), "lambda.amazonaws.com")


def planned(kind: str, index: str, **after: object) -> dict[str, object]:
    return {"type": kind, "index": index, "change": {"after": after}}


def test_plan_role_has_the_examples_policies() -> None:
    policies = [planned("aws_iam_policy", name, policy=name.upper()) for name in ("read", "write")]
    attached = [planned("aws_iam_role_policy_attachment", key) for key in ("plan/read", "apply/read", "apply/write")]
    assert plan_policies({"resource_changes": [*policies, *attached]}) == {"read": "READ"}
    with pytest.raises(LookupError, match="the example attaches"):
        plan_policies({"resource_changes": [*policies, *attached[1:]]})


# The workflow's states


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rendered())
    return found


class TestState:
    """Substitute for TestState, as documented, for the features that the workflow uses; planted answers differ.

    Results are in the output as they are written or mocked; an error is at the catcher's path.
    """

    __test__ = False

    def __init__(self, planted: Mapping[tuple[str, str | None], Mapping[str, Any]] | None = None) -> None:
        self._planted = planted or {}
        self.waited = 0

    def test_state(self, *, definition: str, input: str, **more: Any) -> Mapping[str, Any]:  # noqa: A002 - TestState's
        request = {"definition": definition, "input": input, **more}
        assert not ParamValidator().validate(request, SHAPE).generate_report()
        state, data = json.loads(definition), json.loads(input)
        if state["Type"] not in {"Task", "Parallel", "Map"}:
            assert not more, "neither mock nor context may be given"
            return self._plain(state, data)
        name = json.loads(more["context"])["State"]["Name"]
        mock = more["mock"]
        if error := mock.get("errorOutput", {}).get("error"):
            planted = self._planted.get((name, error))
            return planted or self._failed(state, data, error, more["stateConfiguration"]["retrierRetryCount"])
        assert set(mock) == {"result"}
        return self._planted.get((name, None)) or self._succeeded(state, data, json.loads(mock["result"]))

    def _plain(self, state: Mapping[str, Any], data: Any) -> Mapping[str, Any]:
        match state["Type"]:
            case "Choice":
                ends = {name: {"Type": "Succeed"} for name in [*re.findall(r'"Next": "(\w+)"', json.dumps(state))]}
                ends |= {state["Default"]: {"Type": "Succeed"}} if "Default" in state else {}
                entered = walk({"StartAt": "Choice", "States": {"Choice": state, **ends}}, data).entered
                return {"status": "SUCCEEDED", "output": json.dumps(data), "nextState": entered[1]}
            case "Fail":
                return {"status": "FAILED", "error": state["Error"], "cause": "it says so"}
        return self._succeeded(state, data, state.get("Result", state.get("Parameters")))

    def _succeeded(self, state: Mapping[str, Any], data: Any, result: Any) -> Mapping[str, Any]:
        following = {"nextState": state["Next"]} if "Next" in state else {}
        if result is not None and (path := state.get("ResultPath", "$")) is not None:
            place = path.removeprefix("$").removeprefix(".")
            data = {**data, place: result} if place else result
        return {"status": "SUCCEEDED", "output": json.dumps(data), **following}

    def _failed(self, state: Mapping[str, Any], data: Any, error: str, retried: int) -> Mapping[str, Any]:
        said = {"error": error, "cause": "given"}
        for retrier in state.get("Retry", ()):
            if error in retrier["ErrorEquals"] or retrier["ErrorEquals"] == ["States.ALL"]:
                if retried < retrier["MaxAttempts"]:
                    return {"status": "RETRIABLE", **said}
                break
        for catcher in state.get("Catch", ()):
            if error in catcher["ErrorEquals"] or catcher["ErrorEquals"] == ["States.ALL"]:
                place = catcher.get("ResultPath", "$").removeprefix("$.")
                output = json.dumps({**data, place: {"Error": error}})
                return {"status": "CAUGHT_ERROR", "output": output, "nextState": catcher["Next"], **said}
        return {"status": "FAILED", **said}


def ask_about(
    definition: Mapping[str, Any], planted: Mapping[tuple[str, str | None], Any] | None = None
) -> StateTester:
    tester = StateTester(TestState(planted), definition)
    tester.run(outcome_events())
    return tester


def test_all_states_and_all_errors_are_tested(definition: dict[str, Any]) -> None:
    tester = ask_about(definition)
    known = dict(states(definition))
    assert tester.wrong == []
    assert tester.states == set(known)
    assert tester.errors == sum(len(errors_of(state)) for state in known.values())
    assert tester.errors > 30


@pytest.mark.parametrize(
    ("planted", "answer", "said"),
    [
        (("MoveCurrent", None), {"status": "FAILED", "error": "States.Runtime"}, "MoveCurrent is FAILED"),
        (
            ("PutVersion", "States.Timeout"),
            {"status": "FAILED", "error": "States.Timeout"},
            "on States.Timeout after 0 retries is FAILED, next None (States.Timeout: None), and not RETRIABLE",
        ),
        (
            ("Record", "States.Timeout"),
            {"status": "FAILED", "error": "States.Timeout"},
            "and not CAUGHT_ERROR, next KeepEvent",
        ),
        (
            ("PutVersion", "DynamoDB.ConditionalCheckFailedException"),
            {"status": "RETRIABLE"},
            "is RETRIABLE, next None, and not CAUGHT_ERROR, next Done",
        ),
        (
            ("Notify", None),
            {"status": "SUCCEEDED", "output": "{}", "nextState": "Done"},
            "Notify is SUCCEEDED, next Done, and not SUCCEEDED, next MarkNotified",
        ),
    ],
)
def test_answer_must_match_the_definition(
    definition: dict[str, Any], planted: tuple[str, str | None], answer: Mapping[str, Any], said: str
) -> None:
    assert said in "; ".join(ask_about(definition, {planted: answer}).wrong)


def test_a_state_that_nothing_leads_to_is_reported(definition: dict[str, Any]) -> None:
    astray = copy.deepcopy(definition)
    astray["States"]["Astray"] = {"Type": "Pass", "End": True}
    assert ask_about(astray).wrong == ["not reached: Astray"]


def test_first_matching_retrier_or_catcher_wins() -> None:
    state = {
        "Retry": [{"ErrorEquals": ["A"], "MaxAttempts": 0}, {"ErrorEquals": ["States.TaskFailed"]}],
        "Catch": [{"ErrorEquals": ["A"], "Next": "a"}, {"ErrorEquals": ["States.ALL"], "Next": "all"}],
    }
    assert attempts_of(retrier_of(state, "B")) == 3, "what is not said"
    outcomes = {
        (error, retried): outcome_of(state, error, retried)
        for error in ("A", "B", "States.Timeout", "States.Runtime")
        for retried in (0, 3)
    }
    assert {key: (answer.status, answer.next) for key, answer in outcomes.items()} == {
        ("A", 0): ("CAUGHT_ERROR", "a"),
        ("A", 3): ("CAUGHT_ERROR", "a"),
        ("B", 0): ("RETRIABLE", None),
        ("B", 3): ("CAUGHT_ERROR", "all"),
        ("States.Timeout", 0): ("CAUGHT_ERROR", "all"),
        ("States.Timeout", 3): ("CAUGHT_ERROR", "all"),
        ("States.Runtime", 0): ("FAILED", None),
        ("States.Runtime", 3): ("FAILED", None),
    }


def test_the_slow_copy_differs_in_one_task(definition: dict[str, Any]) -> None:
    before = copy.deepcopy(definition)
    event = next(event for event in outcome_events() if event["detail"]["status"] == "Processed")
    slow = dict(states(slowed(definition, event, "https://queue")))
    usual = dict(states(definition))
    assert definition == before
    tasks = {name for name in usual if usual[name]["Type"] == "Task" and usual[name] != slow[name]}
    assert len(tasks) == 1
    (name,) = tasks
    assert slow[name]["TimeoutSeconds"] == 1
    assert slow[name]["Parameters"] == {"QueueUrl": "https://queue", "WaitTimeSeconds": 20}
    same = set(usual[name]) - {"Resource", "Parameters", "TimeoutSeconds"}
    assert {"Retry", "Catch", "Next"} <= same
    assert {key: slow[name][key] for key in same} == {key: usual[name][key] for key in same}


# Steps on parts that answer as a test wants


def smoke(monkeypatch: pytest.MonkeyPatch, **parts: object) -> Smoke:
    """Make the steps with substitutes for some parts, and with little patience."""
    monkeypatch.setattr(smoke_checks, "LOOK_EVERY_SECONDS", 0)
    monkeypatch.setattr(Smoke._await, "__defaults__", (0.1,))  # noqa: SLF001
    made = Smoke.__new__(Smoke)
    usual: dict[str, object] = {
        "applied": 0.0,
        "began": datetime(2026, 11, 26, tzinfo=UTC),
        "facts": Facts("AWS", "eu-central-1", "2026-11-26"),
        "name": "smoke",
        "pause": lambda _seconds: None,
        "resources": SimpleNamespace(
            arn=lambda service, name: f"arn:aws:{service}:eu-central-1:111122223333:{name}",
            dlq_url=lambda dlq: f"https://{dlq}",
            name="smoke",
            workflow_arn="workflow",
            workflow_log_group="log",
        ),
        "witness": SimpleNamespace(receive=list),
    }
    for name, part in (usual | parts).items():
        monkeypatch.setattr(made, f"_{name}", part, raising=False)
    return made


# Findings, and the plan role


@pytest.mark.parametrize("kind", ["ERROR", "SECURITY_WARNING"])
def test_findings_are_facts_and_errors_fail_the_step(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    modules = {"root_module": {"resources": [resource("aws_kms_key", policy=ALLOW)]}}
    stack = SimpleNamespace(state=lambda: {"values": modules})
    made = smoke(
        monkeypatch, stack=stack, deploy_roles={"planned_values": modules}, clients=SimpleNamespace(accessanalyzer=None)
    )
    looked_at: list[Policy] = []

    def validated(_client: None, policies: list[Policy]) -> list[Finding]:
        looked_at.extend(policies)
        return [Finding(policies[0].place, kind, "MISSING_PRINCIPAL", "add one")]

    monkeypatch.setattr(smoke_checks, "validate", validated)
    if kind == "ERROR":
        with pytest.raises(SmokeError, match=r"errors: MISSING_PRINCIPAL in aws_kms_key\.this\.policy"):
            made.policies()
    else:
        assert made.policies() == "2 policies, 1 findings that are more than suggestions"
    assert len(looked_at) == 2, "those that were applied, and those of the roles for GitHub"
    fact = f"{kind} MISSING_PRINCIPAL in `aws_kms_key.this.policy`: add one"
    assert made._facts.more["Access Analyzer, 1"] == fact  # noqa: SLF001


def plan_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mine: object, its: object) -> Callable[[], str]:
    """Make the step for given plans of this caller and the role; a plan that is a text is Terraform's error."""

    def planned_as(plan: object) -> dict[str, Any]:
        if isinstance(plan, str):
            raise TerraformError(plan)
        return {"resource_changes": plan}

    stack = SimpleNamespace(directory=tmp_path, variables={}, plan=lambda: planned_as(mine))
    role = SimpleNamespace(init=lambda: None, plan=lambda: planned_as(its))
    environments: list[Mapping[str, str]] = []

    def stack_of(_directory: Path, environment: Mapping[str, str], *_: object, **__: object) -> SimpleNamespace:
        environments.append(environment)
        return role

    for name, part in {
        "PROPAGATION_SECONDS": 0,
        "Stack": stack_of,
        "assume": lambda *_: {"AWS_ACCESS_KEY_ID": "role"},
        "make_role": lambda _iam, _name, principal, documents: f"{principal['AWS']} {documents}",
        "plan_policies": lambda _plan: {"read": ALLOW},
    }.items():
        monkeypatch.setattr(smoke_checks, name, part)
    clients = SimpleNamespace(iam=None, sts=None)
    resources = SimpleNamespace(
        arn=lambda service, name: f"arn:aws:{service}:eu-central-1:1:{name}", region="eu-central-1"
    )
    return smoke(
        monkeypatch,
        clients=clients,
        deploy_roles={},
        resources=resources,
        stack=stack,
        steps=SimpleNamespace(say=print),
    ).plan_role


def test_the_plan_role_must_see_what_its_maker_sees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drift = [{"address": "aws_sqs_queue.this", "change": {"actions": ["update"]}}]
    assert plan_role(monkeypatch, tmp_path, [], [])() == "its plan is this caller's: empty"
    assert plan_role(monkeypatch, tmp_path, drift, drift)() == "its plan is this caller's: aws_sqs_queue.this"
    with pytest.raises(SmokeError, match=r"the plan changes aws_sqs_queue\.this and not"):
        plan_role(monkeypatch, tmp_path, [], drift)()
    with pytest.raises(TerraformError, match="not authorized to perform: kms:Decrypt"):
        plan_role(monkeypatch, tmp_path, [], "is not authorized to perform: kms:Decrypt")()


# A Task that times out, and the workflow's log


class Workflows:
    """Step Functions and the dead-letter queue that a workflow's failed events get into."""

    def __init__(self, definition: Mapping[str, Any], answer: Callable[[str], dict[str, Any]]) -> None:
        self._definition = definition
        self._answer = answer
        self._unknown_roles = 2
        self._letters: list[dict[str, Any]] = []
        self.created: dict[str, Any] = {}
        self.exceptions = SimpleNamespace(ClientError=ClientError)

    def describe_state_machine(self, **_: str) -> dict[str, str]:
        return {"definition": json.dumps(self._definition), "roleArn": "arn:aws:iam::1:role/record", "type": "EXPRESS"}

    def create_state_machine(self, **asked: str) -> dict[str, str]:
        self._unknown_roles -= 1
        if self._unknown_roles >= 0:
            said = "Neither the global service principal nor the regional one may assume the provided role."
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": said}}, "CreateStateMachine")
        self.created = asked
        return {"stateMachineArn": "copy"}

    def start_execution(self, *, input: str, **_: str) -> None:  # noqa: A002 - AWS's
        self._letters.append({"ReceiptHandle": "1", **self._answer(input)})

    def create_queue(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803 - AWS's
        return {"QueueUrl": f"https://{QueueName}"}

    def receive_message(self, **_: object) -> dict[str, Any]:
        return {"Messages": [self._letters.pop()]} if self._letters else {}

    def delete_message(self, **_: str) -> None:
        pass


def letter(body: str, error: str) -> dict[str, Any]:
    return {"Body": body, "MessageAttributes": {"error": {"StringValue": error}}}


def task_timeout(
    monkeypatch: pytest.MonkeyPatch, definition: Mapping[str, Any], answer: Callable[[str], dict[str, Any]]
) -> tuple[Callable[[], str], Workflows]:
    """Make the step for a timeout that leads to the given message."""
    workflows = Workflows(definition, answer)
    monkeypatch.setattr(smoke_checks, "copy_policies", lambda _iam, role: {"copied": role})
    monkeypatch.setattr(smoke_checks, "make_role", lambda _iam, _name, _principal, documents: json.dumps(documents))
    clients = SimpleNamespace(stepfunctions=workflows, sqs=workflows, iam=None)
    return smoke(monkeypatch, clients=clients).task_timeout, workflows


def test_an_event_whose_task_timed_out_is_kept(monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any]) -> None:
    step, workflows = task_timeout(monkeypatch, definition, lambda event: letter(event, "States.Timeout"))
    assert "its event is in the dead-letter queue" in step()
    assert workflows.created["type"] == "EXPRESS"
    assert json.loads(workflows.created["definition"]) != definition
    role = json.loads(workflows.created["roleArn"])
    assert role["copied"] == "record", "the policies are the workflow's own"
    assert "sqs:ReceiveMessage" in role["wait"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda event: letter(event, "States.Runtime"), "the error is States.Runtime and not States.Timeout"),
        (lambda _event: letter("{}", "States.Timeout"), "the dead-letter queue holds another event"),
    ],
)
def test_other_outcome_of_a_timeout_fails(
    monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any], answer: Callable[[str], dict[str, Any]], said: str
) -> None:
    step, _ = task_timeout(monkeypatch, definition, answer)
    with pytest.raises(SmokeError, match=said):
        step()


def workflow_log(
    monkeypatch: pytest.MonkeyPatch, definition: Mapping[str, Any], line: Callable[[dict[str, Any]], str]
) -> Callable[[], str]:
    """Make the step for a log with the given line about an event."""
    lines: list[str] = []

    def keep(event: str) -> dict[str, Any]:
        lines.append(line(json.loads(event)["detail"]))
        return letter(event, "UnknownStatus")

    workflows = Workflows(definition, keep)
    made = smoke(monkeypatch, clients=SimpleNamespace(stepfunctions=workflows, sqs=workflows))
    monkeypatch.setattr(made, "_logged", lambda _group, image: [one for one in lines if image.strip('"') in one])
    monkeypatch.setattr(smoke_checks, "PATIENCE_SECONDS", 0.1)
    return made.workflow_log


def test_a_log_names_the_image_and_holds_no_event(monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any]) -> None:
    step = workflow_log(monkeypatch, definition, lambda detail: f"image_id {detail['image_id']} failed")
    assert step() == "1 lines name the image, none holds its event"
    with pytest.raises(SmokeError, match="no line about the image"):
        workflow_log(monkeypatch, definition, lambda _detail: "it failed")()
    with pytest.raises(SmokeError, match="holds the execution's input"):
        workflow_log(monkeypatch, definition, json.dumps)()


# Archives


class Archives:
    """EventBridge's archives: replays from a certain one on send events."""

    def __init__(self, state: str, works_from: int) -> None:
        self._state = state
        self._works_from = works_from
        self.started: list[dict[str, Any]] = []
        self.replayed: set[str] = set()
        self.outcomes_rule_arn = "observer"

    def describe_archive(self, **_: str) -> dict[str, object]:
        return {"ArchiveArn": "archive", "EventCount": 0, "State": self._state}

    def start_replay(self, **asked: Any) -> None:
        self.started.append(asked)
        if len(self.started) >= self._works_from:
            self.replayed.add(asked["ReplayName"])

    def describe_replay(self, **_: str) -> dict[str, str]:
        return {"State": "COMPLETED"}


def archives(monkeypatch: pytest.MonkeyPatch, archives: Archives) -> Smoke:
    monkeypatch.setattr(smoke_checks, "ARCHIVE_SECONDS", 3)
    resources = SimpleNamespace(events=archives, name="smoke")
    return smoke(monkeypatch, resources=resources, witness=archives, outputs={"bus": {"arn": "bus"}})


def test_replays_are_started_until_one_sends_events(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Archives("ENABLED", works_from=2)
    step = archives(monkeypatch, found)
    assert "sends events again" in step.archives()
    assert len({replay["ReplayName"] for replay in found.started}) == 2
    assert {rule for replay in found.started for rule in replay["Destination"]["FilterArns"]} == {"observer"}
    assert step._facts.more["archive of outcomes"].startswith("0 events counted")  # noqa: SLF001


@pytest.mark.parametrize(
    ("state", "works_from", "said"), [("DISABLED", 1, "is DISABLED"), ("ENABLED", 99, "no replay sends an event again")]
)
def test_archive_without_events_fails(monkeypatch: pytest.MonkeyPatch, state: str, works_from: int, said: str) -> None:
    with pytest.raises(SmokeError, match=said):
        archives(monkeypatch, Archives(state, works_from)).archives()


# A key that EventBridge may not use


class Bus:
    """EventBridge with a key: each event comes, fails into a dead-letter queue, is refused, or is lost."""

    KEY_POLICY = json.dumps(
        {"Version": "2012-10-17", "Statement": [statement({"Service": "events.amazonaws.com"}), statement("*")]}
    )

    def __init__(self, broken: str, lag: int) -> None:
        self._broken = broken
        self._lag = lag
        self._policy = self.KEY_POLICY
        self._since = 0
        self.policies: list[str] = []
        self.smoke_events: set[str] = set()
        self._letters: list[str] = []

    def get_key_policy(self, **_: str) -> dict[str, str]:
        return {"Policy": self._policy}

    def put_key_policy(self, *, Policy: str, **_: str) -> None:  # noqa: N803 - AWS's
        self.policies.append(Policy)
        self._policy, self._since = Policy, 0

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, int]:  # noqa: N803 - AWS's
        self._since += 1
        (entry,) = Entries
        noticed = self._since > self._lag
        usual = (self._policy == self.KEY_POLICY) is noticed
        match "comes" if usual else self._broken:
            case "comes":
                self.smoke_events.add(json.loads(entry["Detail"])["image_id"])
            case "fails":
                self._letters.append(json.dumps({"detail": json.loads(entry["Detail"])}))
            case "is refused":
                return {"FailedEntryCount": 1}
            case "is lost every other time" if self._since % 2:
                self._letters.append(json.dumps({"detail": json.loads(entry["Detail"])}))
        return {"FailedEntryCount": 0}

    def receive_message(self, **_: object) -> dict[str, list[dict[str, str]]]:
        return {"Messages": [{"Body": self._letters.pop(), "ReceiptHandle": "1"}]} if self._letters else {}

    def delete_message(self, **_: str) -> None:
        pass

    def receive(self) -> None:
        pass

    rule_dlq_url = "https://rule-dlq"


def key_policy(monkeypatch: pytest.MonkeyPatch, bus: Bus) -> Callable[[], str]:
    """Make the step for the given bus."""
    monkeypatch.setattr(smoke_checks, "KEY_SECONDS", 0.3)
    clients = SimpleNamespace(kms=bus, events=bus, sqs=bus)
    outputs = {"key_arn": "key", "bus": {"name": "bus"}}
    return smoke(monkeypatch, clients=clients, outputs=outputs, witness=bus).key_policy


@pytest.mark.parametrize(("broken", "said"), [("fails", "1 in dead-letter"), ("is refused", "1 refused")])
def test_events_that_failed_for_the_key_are_counted(monkeypatch: pytest.MonkeyPatch, broken: str, said: str) -> None:
    bus = Bus(broken, lag=0)
    assert said in key_policy(monkeypatch, bus)()
    assert bus.policies[-1] == Bus.KEY_POLICY, "the policy is put back"
    assert "events.amazonaws.com" not in bus.policies[0]


def test_a_key_that_is_noticed_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "of 6 events none is lost: 3 in dead-letter" in key_policy(monkeypatch, Bus("fails", lag=2))()


def test_a_lost_event_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus("is lost every other time", lag=1)
    with pytest.raises(SmokeError, match="no trace of every event"):
        key_policy(monkeypatch, bus)()
    assert bus.policies[-1] == Bus.KEY_POLICY


def test_key_without_an_effect_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus("comes", lag=0)
    with pytest.raises(SmokeError, match="no event that fails for the key"):
        key_policy(monkeypatch, bus)()
    assert bus.policies[-1] == Bus.KEY_POLICY, "the policy is put back all the same"


# Uploads whose events S3 did not send


def test_lost_uploads_are_repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    repaired: list[str] = []
    monkeypatch.setattr(smoke_checks, "compare", lambda _resources, plan, _stop, _report: repaired.append(plan.prefix))
    witness = SimpleNamespace(receive=list, s3_events=[{"object": {"key": "late.jpg"}}, {"object": {"key": "other"}}])
    made = smoke(monkeypatch, lost=["lost.jpg", "late.jpg"], witness=witness)
    monkeypatch.setattr(made, "_current", lambda image_id: {"image_id": image_id} if image_id in repaired else None)
    assert made.lost_uploads() == "1 lost, all repaired"
    assert made._facts.more["uploads before the first event"] == "2, of which 1 sent one later"  # noqa: SLF001
    monkeypatch.setattr(made, "_current", lambda _image_id: None)
    with pytest.raises(SmokeError, match=r"no record of lost\.jpg"):
        made.lost_uploads()
