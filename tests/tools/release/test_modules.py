"""The gate of the modules, before a copy of a real module that was changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.check_published import main

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = """\
# Changelog

## Unreleased

- {entry}

## 1.0.0

- `queue.url` was renamed.
"""


class Gate:
    """The gate before a project of one module, the queue, which is published as it is."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.module = root / "terraform" / "modules" / "queue"
        self._capture = capture
        ignored = shutil.ignore_patterns("examples", "tests", ".terraform*")
        shutil.copytree(ROOT / "terraform" / "modules" / "queue", self.module, ignore=ignored)
        self.announce("nothing")
        assert self.run("--publish")[0] == 0

    def run(self, *options: str) -> tuple[int, str]:
        """Exit status and everything that was printed."""
        status = main(["modules", *options, "--root", str(self.root)])
        captured = self._capture.readouterr()
        return status, captured.out + captured.err

    def replace(self, file: str, old: str, new: str) -> None:
        text = (self.module / file).read_text()
        assert old in text
        (self.module / file).write_text(text.replace(old, new))

    def add(self, text: str) -> None:
        with (self.module / "more.tf").open("a") as file:
            file.write(text)

    def announce(self, what: str) -> None:
        (self.root / "CHANGELOG.md").write_text(CHANGELOG.format(entry=what))


@pytest.fixture
def gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Gate:
    return Gate(tmp_path, capsys)


RENAMED = ("main.tf", 'resource "aws_sqs_queue" "dlq"', 'resource "aws_sqs_queue" "dead"')
MOVED = "moved {\n  from = aws_sqs_queue.dlq\n  to   = aws_sqs_queue.dead\n}\n"


def test_the_project_keeps_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules"]) == 0, capsys.readouterr().err


def test_unchanged_module_passes(gate: Gate) -> None:
    assert gate.run("--released") == (0, "The root and 1 modules keep what is published.\n")


def test_a_renamed_resource_needs_a_moved_block(gate: Gate) -> None:
    gate.replace(*RENAMED)
    status, said = gate.run()
    assert status == 1
    assert "terraform/modules/queue: aws_sqs_queue.dlq is missing" in said
    assert "Add: moved { from = aws_sqs_queue.dlq, to =" in said
    assert gate.run("--publish")[0] == 1

    gate.add(MOVED)
    assert gate.run()[0] == 0


def test_a_moved_block_has_to_lead_somewhere(gate: Gate) -> None:
    gate.replace(*RENAMED)
    gate.add(MOVED.replace("aws_sqs_queue.dead", "aws_sqs_queue.ded"))
    status, said = gate.run()
    assert status == 1
    assert "from aws_sqs_queue.dlq to aws_sqs_queue.ded, which does not exist" in said


def test_a_resource_that_moves_twice_is_followed(gate: Gate) -> None:
    gate.replace("main.tf", 'resource "aws_sqs_queue" "dlq"', 'resource "aws_sqs_queue" "last"')
    gate.add(MOVED)
    gate.add("moved {\n  from = aws_sqs_queue.dead\n  to   = aws_sqs_queue.last\n}\n")
    assert gate.run()[0] == 0


def test_removed_resource_needs_a_removed_block(gate: Gate) -> None:
    gate.replace(*RENAMED)
    gate.add("removed {\n  from = aws_sqs_queue.dlq\n\n  lifecycle {\n    destroy = false\n  }\n}\n")
    assert gate.run()[0] == 0


def test_keys_instead_of_numbers_need_a_moved_block(gate: Gate) -> None:
    gate.replace("main.tf", "count = var.dlq == null ? 0 : 1", "for_each = toset(var.dlq == null ? [] : [var.name])")
    status, said = gate.run()
    assert status == 1
    assert "aws_sqs_queue.dlq is for_each now and was count" in said
    gate.add('moved {\n  from = aws_sqs_queue.dlq[0]\n  to   = aws_sqs_queue.dlq["orders"]\n}\n')
    assert gate.run()[0] == 0


def test_count_can_become_a_single_resource(gate: Gate) -> None:
    gate.replace("main.tf", "  count = var.dlq == null ? 0 : 1\n", "")
    assert gate.run()[0] == 0


def test_a_called_module_has_an_address_too(gate: Gate) -> None:
    (gate.root / "terraform" / "main.tf").write_text('module "jobs" {\n  source = "./modules/queue"\n}\n')
    assert gate.run("--publish")[0] == 0
    (gate.root / "terraform" / "main.tf").write_text('module "tasks" {\n  source = "./modules/queue"\n}\n')
    status, said = gate.run()
    assert status == 1
    assert "terraform: module.jobs is missing" in said


@pytest.mark.parametrize(
    ("change", "broken", "entry"),
    [
        (("outputs.tf", 'output "url"', 'output "address"'), "output url is missing", "`queue.url`"),
        (("variables.tf", 'variable "senders"', 'variable "writers"'), "input senders is missing", "`queue.senders`"),
        (("variables.tf", "  default     = 345600\n", ""), "input message_retention", "`queue.message_retention`"),
    ],
    ids=["output", "input", "required"],
)
def test_breaking_change_is_in_the_changelog(gate: Gate, change: tuple[str, str, str], broken: str, entry: str) -> None:
    gate.replace(*change)
    status, said = gate.run()
    assert status == 1
    assert broken in said
    assert entry in said
    gate.announce(f"{entry} is called otherwise.")
    assert gate.run()[0] == 0


def test_removed_module_is_in_the_changelog(gate: Gate) -> None:
    shutil.rmtree(gate.module)
    status, said = gate.run()
    assert status == 1
    assert "the module is missing" in said
    gate.announce("`queue.*`: use another.")
    assert gate.run()[0] == 0


def test_new_parts_can_change_until_published(gate: Gate) -> None:
    gate.add('resource "aws_sqs_queue" "new" {}\n\noutput "new" {\n  value = 1\n}\n')
    status, said = gate.run()
    assert status == 0
    assert "terraform/modules/queue: has changes" in said
    status, said = gate.run("--released")
    assert status == 1
    assert "not published: terraform/modules/queue" in said

    (gate.module / "more.tf").unlink()
    assert gate.run()[0] == 0
    gate.add('resource "aws_sqs_queue" "new" {}\n')
    assert gate.run("--publish")[0] == 0
    assert gate.run("--released")[0] == 0
    (gate.module / "more.tf").unlink()
    assert gate.run()[0] == 1


def test_missing_list_is_reported(gate: Gate) -> None:
    (gate.root / "terraform" / "published.json").unlink()
    status, said = gate.run()
    assert status == 1
    assert "published.json is missing: restore it" in said
