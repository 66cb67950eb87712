from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from scripts.engines.ministack import ministack
from tests.terraform.alone import plan_alone
from tests.terraform.folders import EXAMPLES
from tests.terraform.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    Plans = Mapping[Path, Future[tuple[bool, str]]]


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def root(workspace: Workspace) -> Workspace:
    """Initialise the root of the workspace."""
    succeeded, said = workspace.init()
    assert succeeded, said
    return workspace


@pytest.fixture(scope="session")
def example_plans(
    root: Workspace, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plans]:
    """Plan the examples that the chosen tests are about, each alone, several at a time."""
    chosen = [item.callspec.params.get("example") for item in request.session.items if hasattr(item, "callspec")]
    with ministack(tmp_path_factory.mktemp("emulator")) as emulator, ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            example: pool.submit(plan_alone, root, example, tmp_path_factory.mktemp("alone"), **emulator.environment)
            for example in EXAMPLES
            if example in chosen
        }
        pool.shutdown(cancel_futures=True)
