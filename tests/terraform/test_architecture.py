"""The architecture that a plan makes: this project's to the last arrow, and what breaks a rule in small real plans."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT
from scripts import document_architecture as architecture
from scripts.architecture.graph import graph_of
from scripts.architecture.mermaid import mermaid
from scripts.architecture.model import Flow, Kind
from scripts.architecture.rules import findings, longest_way
from scripts.terraform.plan import Plan
from scripts.terraform.root_plan import root_plan
from tests.terraform.folders import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.architecture.model import Graph
    from tests.terraform.conftest import Plans
    from tests.terraform.workspace import Workspace

PINBALL = Path(__file__).parent / "pinball"


# This project's own


@pytest.fixture(scope="module")
def darkroom() -> Graph:
    return graph_of(architecture.read_plan(root_plan()))


# By their labels; a rule is its name.
ARROWS = {
    "event": {
        "originals": {"darkroom-uploads-object-created", "darkroom-uploads-object-deleted"},
        "darkroom-uploads-object-created": {"uploads"},
        "darkroom-uploads-object-deleted": {"uploads"},
        "uploads": {"process_image"},
        "image-processed": {"record_image"},
        "image-rejected": {"record_image"},
        "image-deleted": {"record_image"},
        "image-version-deleted": {"record_image"},
        "notifications": {"email"},
        "reconcile": {"reconcile"},  # the schedule, the function
    },
    "write": {
        "process_image": {"processed", "image-processed", "image-rejected", "image-deleted", "image-version-deleted"},
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
        "image-version-deleted": {"bus dlq"},
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
def test_every_arrow_of_this_project_is_there_and_no_other(darkroom: Graph, flow: Flow) -> None:
    assert arrows(darkroom, flow) == ARROWS[flow.value]


def test_this_project_breaks_no_rule_and_hides_nothing(darkroom: Graph) -> None:
    assert findings(darkroom) == []
    assert darkroom.unclear == []
    assert len(darkroom.dead_letter_queues) == 6
    assert len(darkroom.archived) == 2


def test_upload_to_notification_has_six_hops(darkroom: Graph) -> None:
    way = longest_way(darkroom)
    assert len(way) == 6
    assert darkroom.nodes[way[0].source].label == "originals"
    assert [finding.rule for finding in findings(darkroom, most_hops=5)] == ["hops"]


# One thing taken from this project's plan, and the rule that misses it.


def without_event_dlq(plan: dict[str, Any]) -> None:
    of(plan, 'module.bus.aws_cloudwatch_event_target.this["image-deleted.record"]')["dead_letter_config"] = []


def without_schedule_dlq(plan: dict[str, Any]) -> None:
    (target,) = of(plan, "aws_scheduler_schedule.reconcile[0]")["target"]
    target["arn"] = "arn:aws:lambda:us-east-1:000000000000:function:darkroom-reconcile"
    target["dead_letter_config"] = []


def without_redrive(plan: dict[str, Any]) -> None:
    of(plan, "module.uploads.aws_sqs_queue.this")["redrive_policy"] = None


def without_alarm(plan: dict[str, Any]) -> None:
    of(plan, 'module.observability[0].aws_cloudwatch_metric_alarm.this["dlq-record_image"]')["dimensions"] = {}


def with_originals_for_derivatives(plan: dict[str, Any]) -> None:
    policy = of(plan, 'module.process_image.aws_iam_role_policy.permissions["pipeline"]')
    policy["policy"] = policy["policy"].replace("darkroom-processed", "darkroom-originals")


def of(plan: dict[str, Any], address: str) -> dict[str, Any]:
    """Return the planned values of a resource, all known from here on."""
    (change,) = (one["change"] for one in plan["resource_changes"] if one["address"] == address)
    change["after_unknown"] = {}
    values: dict[str, Any] = change["after"]
    return values


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (without_event_dlq, "target without DLQ"),
        (without_schedule_dlq, "target without DLQ"),
        (without_redrive, "queue without DLQ"),
        (without_alarm, "DLQ without alarm"),
        (with_originals_for_derivatives, "loop"),
    ],
)
def test_a_change_of_this_project_is_found(change: Callable[[dict[str, Any]], None], rule: str) -> None:
    plan = json.loads(root_plan().read_text())
    change(plan)
    assert rule in {finding.rule for finding in findings(graph_of(Plan(plan)))}


# Small plans, each of which breaks one rule


@pytest.fixture(scope="module")
def pinball_plan(workspace: Workspace) -> Path:
    folder = workspace.directory / "pinball"
    shutil.copytree(PINBALL, folder)
    installed, said = workspace.init(folder)
    assert installed, said
    for arguments in (("plan", "-out=tfplan", "-input=false", "-no-color"), ("show", "-json", "tfplan")):
        succeeded, said = workspace.run(*arguments, folder=folder)
        assert succeeded, said
    file = folder / "plan.json"
    file.write_text(said.partition("\n")[2])
    return file


@pytest.fixture(scope="module")
def pinball(pinball_plan: Path) -> Graph:
    return graph_of(architecture.read_plan(pinball_plan))


BROKEN = {
    "good": set(),
    "loop": {("loop", 'worker.aws_iam_role_policy.this["own"]')},
    "loop_over_a_bus": {("loop", 'worker.aws_iam_role_policy.this["own"]')},
    "hops": {("hops", 'worker["hops-4"].aws_iam_role_policy.this["own"]')},
    "call": {("function calls function", 'caller.aws_iam_role_policy.this["own"]')},
    "target": {("target without DLQ", "aws_cloudwatch_event_target.this")},
    "subscription": {("subscription without DLQ", "aws_sns_topic_subscription.this")},
    "consumer": {("queue without DLQ", "aws_sqs_queue.this")},
    "unwatched": {("DLQ without alarm", "aws_sqs_queue.failed")},
    "unclear": set(),
}
MESSAGES = {
    "loop": "S3 loop → SQS loop jobs → Lambda loop worker",
    "loop_over_a_bus": "(rule loop-near) → loop_over_a_bus far (rule loop-far)",
    "hops": "8 hops, 7 at most: SQS hops jobs hops-1 → Lambda hops worker hops-1 → SQS hops jobs hops-2",
    "call": "call caller may call call called",
    "target": "Give the target a dead_letter_config",
    "subscription": "Give the subscription a redrive_policy",
    "consumer": "maxReceiveCount",
    "unwatched": "ApproximateNumberOfMessagesVisible",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_rule_finds_what_breaks_it_and_nothing_else(pinball: Graph, case: str) -> None:
    found = [finding for finding in findings(pinball) if finding.by.startswith(f"module.{case}.")]
    own = {(finding.rule, finding.by.removeprefix(f"module.{case}.").removeprefix("module.")) for finding in found}
    assert own == BROKEN[case]
    assert all(MESSAGES[case] in finding.message for finding in found)


def test_every_case_is_looked_at() -> None:
    helpers = {"worker", "kept_queue"}
    assert {folder.name for folder in PINBALL.iterdir() if folder.is_dir()} - helpers == BROKEN.keys()


def test_unknown_parts_of_a_plan_are_reported(pinball: Graph) -> None:
    (sentence,) = pinball.unclear
    assert sentence.startswith('module.unclear.module.worker.aws_iam_role_policy.this["own"] allows what is known only')


def test_the_command_says_all_of_it_and_fails(pinball_plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert architecture.main(["--plan", str(pinball_plan), "--check"]) == 1
    said = capsys.readouterr()
    assert "8 findings" in said.out
    for rule, _ in set().union(*BROKEN.values()):
        assert f"\n{rule}: module." in f"\n{said.err}"
    assert "not looked at: module.unclear" in said.err


def test_the_command_draws_any_plan(pinball_plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert architecture.main(["--plan", str(pinball_plan)]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")


@pytest.mark.parametrize("text", ["{}", "no JSON", "[]"])
def test_invalid_plan_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    assert architecture.main(["--plan", str(file)]) == 1
    assert str(file) in capsys.readouterr().err


# The examples of the modules


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_example_is_drawn_and_has_no_loop(example_plans: Plans, example: Path) -> None:
    graph = graph_of(Plan(example_plans[example].result().plan))
    # The targets of a bus go through a local value, whose expression is not in the plan.
    target = r'module\.\w+\.aws_cloudwatch_event_target\.this\["[^"]+"\]: its arn is known only once it is applied\.'
    assert [sentence for sentence in graph.unclear if not re.fullmatch(target, sentence)] == []
    assert {"loop", "hops", "function calls function"}.isdisjoint({finding.rule for finding in findings(graph)})
    drawn = mermaid(graph, whole=True)
    for node in graph.nodes.values():
        assert node.kind is Kind.RULE or node.label.removesuffix(" dlq") in drawn, drawn


# Documents


def test_the_documents_hold_what_the_plan_says(darkroom: Graph) -> None:
    assert not architecture.settle_documents(darkroom, check=True)


def test_outdated_diagram_is_found_and_updated(
    darkroom: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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
