"""Architecture of this project, and of small configurations that break a rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT
from scripts import document_architecture as architecture
from scripts.architecture.graph import graph_of
from scripts.architecture.mermaid import mermaid
from scripts.architecture.model import Flow, Kind
from scripts.architecture.rules import findings, longest_way
from scripts.terraform.offline import Configuration, plan_offline
from scripts.terraform.plans import load_plans, load_root, read_plan
from tests.terraform.folders import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.architecture.model import Graph
    from scripts.terraform.plans import Plan

PINBALL = Path(__file__).parent / "pinball"


# This project


@pytest.fixture(scope="module")
def root() -> Plan:
    return load_root()


@pytest.fixture(scope="module")
def darkroom(root: Plan) -> Graph:
    return graph_of(root)


# By label; a rule by its name.
ARROWS = {
    "event": {
        "originals": {"darkroom-uploads-object-created", "darkroom-uploads-object-deleted"},
        "darkroom-uploads-object-created": {"uploads"},
        "darkroom-uploads-object-deleted": {"uploads"},
        "uploads": {"process_image"},
        "image-processed": {"record_image"},
        "image-rejected": {"record_image"},
        "image-deleted": {"record_image"},
        "version-deleted": {"record_image"},
        "notifications": {"email"},
        "reconcile": {"reconcile"},  # the schedule, the function
    },
    "write": {
        "process_image": {"processed", "image-processed", "image-rejected", "image-deleted", "version-deleted"},
        "record_image": {"images", "notifications"},
        "api": {"originals", "presign_upload"},
        "presign_upload": {"originals"},
        "reconcile": {"processed", "uploads"},
    },
    "read": {
        "originals": {"process_image"},
        "processed": {"process_image", "reconcile", "api"},
        "images": {"record_image", "reconcile", "api"},
        "try_page": {"api"},
    },
    "failure": {
        "darkroom-uploads-object-created": {"uploads_rules dlq"},
        "darkroom-uploads-object-deleted": {"uploads_rules dlq"},
        "uploads": {"uploads dlq"},
        "image-processed": {"bus dlq"},
        "image-rejected": {"bus dlq"},
        "image-deleted": {"bus dlq"},
        "version-deleted": {"bus dlq"},
        "bus": {"bus dlq"},
        "record_image": {"record_image_dlq"},
        "reconcile": {"reconcile_dlq"},
        "notifications": {"notifications dlq"},
    },
}


def arrows(graph: Graph, flow: Flow) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for edge in graph.edges:
        if edge.flow is flow:
            source, target = (
                node.name if node.kind is Kind.RULE else node.label
                for node in (graph.nodes[edge.source], graph.nodes[edge.target])
            )
            found.setdefault(source, set()).add(target)
    return found


@pytest.mark.parametrize("flow", Flow, ids=lambda flow: flow.value)
def test_this_project_has_these_arrows_only(darkroom: Graph, flow: Flow) -> None:
    assert arrows(darkroom, flow) == ARROWS[flow.value]


def test_this_project_breaks_no_rule(darkroom: Graph) -> None:
    assert findings(darkroom) == []
    assert darkroom.unclear == []
    assert len(darkroom.dead_letter_queues) == 6
    assert len(darkroom.archived) == 2


def test_upload_is_six_hops_from_notification(darkroom: Graph) -> None:
    way = longest_way(darkroom)
    assert len(way) == 6
    assert darkroom.nodes[way[0].source].label == "originals"
    assert [finding.rule for finding in findings(darkroom, most_hops=5)] == ["hops"]


DLQ_OF_EVENTS = 'module.bus.aws_cloudwatch_event_target.this["image-deleted.record"]'
SCHEDULE = "aws_scheduler_schedule.reconcile[0]"
DLQ_ALARM = 'module.observability[0].aws_cloudwatch_metric_alarm.this["dlq-record_image"]'
PIPELINE = 'module.process_image.aws_iam_role_policy.permissions["pipeline"]'


@pytest.mark.parametrize(
    ("address", "path", "change", "rule"),
    [
        (DLQ_OF_EVENTS, ["dead_letter_config"], lambda _: [], "target without DLQ"),
        (
            "aws_scheduler_schedule.reconcile[0]",
            ["target", 0, "dead_letter_config"],
            lambda _: [],
            "target without DLQ",
        ),
        ("module.uploads.aws_sqs_queue.this", ["redrive_policy"], lambda _: None, "queue without DLQ"),
        (DLQ_ALARM, ["dimensions"], lambda _: {}, "DLQ without alarm"),
        (PIPELINE, ["policy"], lambda policy: policy.replace("darkroom-processed", "darkroom-originals"), "loop"),
    ],
)
def test_rule_finds_change_of_this_project(
    root: Plan, address: str, path: list[str | int], change: Callable[[Any], Any], rule: str
) -> None:
    assert rule in {finding.rule for finding in findings(graph_of(root.changed(address, path, change)))}


# Small configurations, each of which breaks one rule


@pytest.fixture(scope="module")
def pinball_plan() -> Plan:
    (document,) = plan_offline([Configuration("pinball", PINBALL.name)], added=PINBALL)
    return read_plan(document)


@pytest.fixture(scope="module")
def pinball(pinball_plan: Plan) -> Graph:
    return graph_of(pinball_plan)


@pytest.fixture
def pinball_state(pinball_plan: Plan, tmp_path: Path) -> Path:
    """Return a file with the state that an apply of the configurations leads to."""
    modules: dict[str, list[dict[str, Any]]] = {}
    for one in pinball_plan.resources.values():
        index = {} if one.index is None else {"index": one.index}
        resource = {"address": one.address, "mode": "managed", "type": one.type, "values": one.values, **index}
        modules.setdefault(one.module, []).append(resource)
    children = [{"address": address, "resources": resources} for address, resources in modules.items()]
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"values": {"root_module": {"child_modules": children}}}))
    return file


BROKEN = {
    "good": set(),
    "loop": {("loop", 'worker.aws_iam_role_policy.this["own"]')},
    "loop_over_a_bus": {("loop", 'worker.aws_iam_role_policy.this["own"]')},
    "hops": {("hops", 'four.module.worker.aws_iam_role_policy.this["own"]')},
    "call": {("function calls function", 'caller.aws_iam_role_policy.this["own"]')},
    "target": {("target without DLQ", "aws_cloudwatch_event_target.this")},
    "subscription": {("subscription without DLQ", "aws_sns_topic_subscription.this")},
    "consumer": {("queue without DLQ", "aws_sqs_queue.this")},
    "unwatched": {("DLQ without alarm", "aws_sqs_queue.failed")},
}
MESSAGES = {
    "loop": "S3 loop → SQS loop jobs → Lambda loop worker",
    "loop_over_a_bus": "(rule loop-near) → loop_over_a_bus far (rule loop-far)",
    "hops": "8 hops, 7 at most: SQS hops one jobs → Lambda hops one worker → SQS hops two jobs",
    "call": "call caller may call call called",
    "target": "Give the target a dead_letter_config",
    "subscription": "Give the subscription a redrive_policy",
    "consumer": "maxReceiveCount",
    "unwatched": "ApproximateNumberOfMessagesVisible",
}


@pytest.mark.parametrize("case", BROKEN)
def test_rule_finds_its_case_and_no_other(pinball: Graph, case: str) -> None:
    found = [finding for finding in findings(pinball) if finding.by.startswith(f"module.{case}.")]
    own = {(finding.rule, finding.by.removeprefix(f"module.{case}.").removeprefix("module.")) for finding in found}
    assert own == BROKEN[case]
    assert all(MESSAGES[case] in finding.message for finding in found)


def test_every_case_is_tested(pinball: Graph) -> None:
    helpers = {"kept_queue", "step", "worker"}
    assert {folder.name for folder in PINBALL.iterdir() if folder.is_dir()} - helpers == BROKEN.keys()
    assert pinball.unclear == []


def test_role_outside_the_plan_is_reported(pinball_plan: Plan) -> None:
    changed = pinball_plan.changed(
        "module.call.module.caller.aws_lambda_function.this", ["role"], lambda _: "arn:aws:iam::1:role/other"
    )
    (sentence,) = graph_of(changed).unclear
    assert sentence.startswith(
        "module.call.module.caller.aws_lambda_function.this has the role arn:aws:iam::1:role/other"
    )


def test_command_checks_a_state(pinball_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert architecture.main(["--state", str(pinball_state), "--check"]) == 1
    output = capsys.readouterr()
    assert "8 findings" in output.out
    for rule, _ in set().union(*BROKEN.values()):
        assert f"\n{rule}: module." in f"\n{output.err}"


def test_command_draws_a_state(pinball_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert architecture.main(["--state", str(pinball_state)]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")


@pytest.mark.parametrize("text", ["{}", "no JSON", "[]", '{"planned_values": {}}'])
def test_other_files_are_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    assert architecture.main(["--state", str(file)]) == 1
    assert str(file) in capsys.readouterr().err


# The examples of the modules


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {plan.name: plan for plan in load_plans()}


@pytest.mark.parametrize("folder", EXAMPLES, ids=str)
def test_example_is_drawn_without_loops(plans: dict[str, Plan], folder: Path) -> None:
    example = plans[folder.as_posix()]
    graph = graph_of(example)
    # Terraform reads a policy document after the apply if it names resources of the same module.
    unknown = [one.address for one in example.every("aws_iam_role_policy") if not one.value("policy")]
    assert [sentence.partition(" ")[0] for sentence in graph.unclear] == unknown
    assert {"loop", "hops", "function calls function"}.isdisjoint({finding.rule for finding in findings(graph)})
    drawn = mermaid(graph, whole=True)
    for node in graph.nodes.values():
        assert node.kind is Kind.RULE or node.label.removesuffix(" dlq") in drawn, drawn


# Documents


def test_documents_have_the_current_diagram(darkroom: Graph) -> None:
    assert not architecture.settle_documents(darkroom, check=True)


def test_old_diagram_is_found_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "README.md"
    copy.write_text((ROOT / "README.md").read_text().replace("S3 originals", "S3 pictures"))
    monkeypatch.setattr(architecture, "DOCUMENTS", {copy: False})
    assert architecture.main(["--check"]) == 1
    assert '-  you(["you"]) -->|upload| originals[("S3 pictures")]' in capsys.readouterr().err
    assert architecture.main(["--write"]) == 0
    assert copy.read_text() == (ROOT / "README.md").read_text()
    copy.write_text("nothing")
    assert architecture.main(["--check"]) == 1
    assert "needs one place" in capsys.readouterr().err
