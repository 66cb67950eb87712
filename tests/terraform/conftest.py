from __future__ import annotations

import pytest

from tests.terraform.workspace import Workspace


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def root(workspace: Workspace) -> Workspace:
    """The workspace with an initialised root."""
    succeeded, said = workspace.init()
    assert succeeded, said
    return workspace
