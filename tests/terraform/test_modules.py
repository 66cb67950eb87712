"""The root, every module and every example is well-formed, valid, and passes its own tests, offline."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from scripts.terraform.copy import TERRAFORM
from tests.terraform.folders import EXAMPLES, MODULES, TESTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from tests.terraform.workspace import Workspace

    # Result of each step: success and output.
    Steps = Mapping[str, tuple[bool, str]]
    Outcomes = Mapping[Path, Future[Steps]]


def look_at(workspace: Workspace, folder: Path) -> Steps:
    """Initialise, validate and test one folder, as far as it goes."""
    at = workspace.root / folder
    steps = {"init": workspace.init(at)}
    if steps["init"][0]:
        with workspace.provider() as served:
            steps["validate"] = workspace.run("validate", "-json", folder=at, **served)
            if folder not in EXAMPLES:
                steps["test"] = workspace.run("test", "-no-color", folder=at, **served)
    return steps


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[Outcomes]:
    """Yield the outcomes of the folders of the chosen tests, which run in parallel."""
    chosen = [item.callspec.params.get("folder") for item in request.session.items if hasattr(item, "callspec")]
    pool = ThreadPoolExecutor(os.cpu_count())
    yield {folder: pool.submit(look_at, workspace, folder) for folder in [*TESTED, *EXAMPLES] if folder in chosen}
    pool.shutdown(cancel_futures=True)


def test_the_code_is_formatted(workspace: Workspace) -> None:
    formatted, said = workspace.run("fmt", "-check", "-diff", "-recursive", "-no-color", folder=TERRAFORM)
    assert formatted, said


@pytest.mark.parametrize("folder", [*TESTED, *EXAMPLES], ids=str)
def test_folder_is_valid_without_a_warning(outcomes: Outcomes, folder: Path) -> None:
    steps = outcomes[folder].result()
    installed, said = steps["init"]
    assert installed, said
    valid, said = steps["validate"]
    assert valid, said
    assert json.loads(said.partition("\n")[2])["diagnostics"] == []


@pytest.mark.parametrize("folder", TESTED, ids=str)
def test_its_own_tests_pass(outcomes: Outcomes, folder: Path) -> None:
    steps = outcomes[folder].result()
    passed, said = steps.get("test", steps["init"])
    assert passed, said
    assert "Warning" not in said, said
    assert re.search(r"\nSuccess! [1-9]\d* passed, 0 failed\.", said), said


@pytest.mark.parametrize("folder", MODULES, ids=str)
def test_every_module_has_an_example(folder: Path) -> None:
    assert [example for example in EXAMPLES if example.is_relative_to(folder)]
