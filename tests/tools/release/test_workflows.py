"""The workflows hold no key, may do no more than they need, and run nothing that could be exchanged behind our back."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from scripts import ROOT
from scripts.checks import CHECK, PARTS, SUITES

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, *sorted((GITHUB / "actions").glob("*/action.yml"))]

# Permissions of jobs in addition to reading the code, with the reason.
MORE = {
    ("deploy.yml", "plan"): {"id-token": "write"},
    ("deploy.yml", "apply"): {"id-token": "write"},
    ("release.yml", "publish"): {"attestations": "write", "contents": "write", "id-token": "write"},
}


def load(file: Path) -> Any:
    return yaml.load(file.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - it makes nothing but text


def by_name(path: Path) -> str:
    return path.relative_to(GITHUB).as_posix()


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(file.name, name, job) for file in WORKFLOWS for name, job in load(file)["jobs"].items()]


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_actions_are_pinned_with_their_version(file: Path) -> None:
    used = re.findall(r"^\s*-?\s*uses: (.*)$", file.read_text(), re.MULTILINE)
    assert used
    for action in used:
        if action.startswith("./"):
            assert (ROOT / action).exists(), action
        else:
            assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version_everywhere() -> None:
    pins = {pin for file in FILES for pin in re.findall(r"uses: ([\w-]+/.*)$", file.read_text(), re.MULTILINE)}
    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


@pytest.mark.parametrize("file", WORKFLOWS, ids=by_name)
def test_a_workflow_may_read_at_most(file: Path) -> None:
    assert load(file)["permissions"] in ({}, "{}", {"contents": "read"})


@pytest.mark.parametrize(("file", "name", "job"), jobs(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_job_may_do_what_it_needs_and_ends(file: str, name: str, job: dict[str, Any]) -> None:
    permissions = dict(job.get("permissions", {}))
    if MORE.get((file, name), {}).get("contents") != "write":
        assert permissions.pop("contents", "read") == "read"
    assert permissions == MORE.get((file, name), {})
    assert "uses" in job or 0 < int(job["timeout-minutes"]) <= 90


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_no_keys_are_stored(file: Path) -> None:
    text = file.read_text()
    assert "secrets." not in text
    assert not re.search(r"aws-access-key-id|aws-secret-access-key|AKIA[0-9A-Z]{16}", text, re.IGNORECASE)
    assert "pull_request_target" not in text


def test_parallel_jobs_run_every_part() -> None:
    parts = load(GITHUB / "workflows" / "test.yml")["jobs"]["parts"]["strategy"]["matrix"]["part"]
    beyond_make_test = {"demo", "localstack"}
    assert set(parts) == {*PARTS, *beyond_make_test}
    assert len(parts) == len(set(parts))
    cases = re.findall(r"^(\w+)\)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert beyond_make_test <= set(cases) <= {*parts, "all"}


def test_older_pythons_run_steps_that_exist() -> None:
    (command,) = (step["run"] for step in load(GITHUB / "workflows" / "test.yml")["jobs"]["older"]["steps"][-1:])
    chosen = shlex.split(command.partition("--only ")[2])
    assert chosen
    assert set(chosen) <= {step.name for step in SUITES["test"]}


def test_only_the_approved_plan_is_applied() -> None:
    apply = load(GITHUB / "workflows" / "deploy.yml")["jobs"]["apply"]
    assert apply["environment"] == "production"
    assert apply["needs"] == "plan"
    assert apply["if"].startswith("github.event_name == 'push' && ")
    commands = [step["run"] for step in apply["steps"] if "run" in step]
    assert "sha256sum --check" in commands[0]
    assert commands[1] == "terraform apply -input=false tfplan"


def test_a_fork_gets_no_role() -> None:
    plan = load(GITHUB / "workflows" / "deploy.yml")["jobs"]["plan"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in plan["if"]


@pytest.mark.parametrize("step", [step for step in CHECK if step.name.startswith("workflow")], ids=lambda s: s.name)
def test_a_mistake_in_a_workflow_is_found(step: Any, tmp_path: Path) -> None:
    """Each linter finds what it is there for."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "deploy.yml").write_text(
        "name: deploy\non: {pull_request: {}}\njobs:\n  plan:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }} ${{ steps.nothing.outputs.x }}\n"
    )
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    found = subprocess.run(step.command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert "pull_request.title" in found.stdout + found.stderr
