"""The table of what engines can do, and the tests' needs, fit: no test is left out everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from e2e.engines import AWS, ENGINES, LOCALSTACK, MINISTACK, Capability
from stack import ROOT

LOCAL = (LOCALSTACK, MINISTACK)

AWS_ONLY: frozenset[str] = frozenset()
"""Tests that no engine on this machine can run. Each needs a reason here."""

COLLECT = """
import json, sys
import pytest

class Needs:
    def pytest_collection_finish(self, session):
        found = {
            item.nodeid: [capability.name for marker in item.iter_markers("needs") for capability in marker.args]
            for item in session.items
        }
        print("NEEDS", json.dumps(found))

sys.exit(pytest.main(["--collect-only", "--quiet", "tests/e2e"], plugins=[Needs()]))
"""


@cache
def needs() -> dict[str, set[Capability]]:
    """What each end-to-end test needs, as collected: no fixture runs and no engine starts."""
    run = subprocess.run(
        [sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout
    (found,) = (line.removeprefix("NEEDS ") for line in run.stdout.splitlines() if line.startswith("NEEDS "))
    return {test: {Capability[name] for name in names} for test, names in json.loads(found).items()}


def test_aws_can_do_everything() -> None:
    assert AWS.lacks == frozenset()
    assert set(ENGINES) == {AWS, *LOCAL}


def test_each_test_runs_on_an_engine_on_this_machine() -> None:
    assert len(needs()) > 40
    nowhere = {test for test, needed in needs().items() if all(needed & engine.lacks for engine in LOCAL)}
    assert nowhere == AWS_ONLY


@pytest.mark.parametrize("engine", LOCAL, ids=lambda engine: engine.name)
def test_each_engine_runs_most_of_them(engine: object) -> None:
    assert engine in LOCAL
    run = {name(test) for test, needed in needs().items() if all(engine.can(capability) for capability in needed)}
    assert len(run) > 0.6 * len({name(test) for test in needs()})


def name(test: str) -> str:
    """A test's name without its parameters, of which one may have hundreds."""
    return test.partition("[")[0]


@pytest.mark.parametrize("capability", Capability)
def test_the_table_holds_nothing_that_no_test_needs_or_that_all_engines_can_do(capability: Capability) -> None:
    assert any(capability in needed for needed in needs().values())
    assert any(not engine.can(capability) for engine in LOCAL)
