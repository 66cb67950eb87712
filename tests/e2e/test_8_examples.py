"""Each module's examples apply as they are, stay as they are, and can be destroyed."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from e2e.conftest import DIRECTORY
from e2e.engines import Capability, engine
from e2e.test_9_destroy import drifts
from stack import ROOT, Terraform

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

EXAMPLES = sorted((ROOT / "terraform" / "modules").glob("*/examples/*"))
NEEDS = {"service_api": {Capability.API_SERVICE_INTEGRATIONS}}  # by module


def go_through(example: Path) -> set[tuple[str, str]]:
    """Apply an example in a copy of its module, and destroy it; returns what a second plan would have changed."""
    module = example.parent.parent
    copy = DIRECTORY / "examples" / module.name / example.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(module, copy)
    terraform = Terraform(copy / "examples" / example.name, {})
    terraform.init()
    terraform.apply()
    changed = drifts(terraform.plan())
    terraform.destroy()
    return changed


@pytest.fixture(scope="module")
def runs(endpoint: str) -> dict[Path, Future[set[tuple[str, str]]]]:
    """All examples side by side: what takes time is the provider's waiting."""
    pool = ThreadPoolExecutor(len(EXAMPLES))
    return {example: pool.submit(go_through, example) for example in EXAMPLES if not lacking(example)}


def lacking(example: Path) -> list[Capability]:
    """What the engine cannot do of what the example's module needs."""
    return [capability for capability in NEEDS.get(example.parent.parent.name, ()) if not engine().can(capability)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.parent.name}-{path.name}")
def test_an_example_applies_and_stays(runs: dict[Path, Future[set[tuple[str, str]]]], example: Path) -> None:
    for capability in lacking(example):
        pytest.skip(f"{engine().name} lacks {capability.value}")
    assert runs[example].result() - engine().example_drifts == set()


def test_known_drifts_of_examples_are_exact(runs: dict[Path, Future[set[tuple[str, str]]]]) -> None:
    assert set().union(*(run.result() for run in runs.values())) == engine().example_drifts
