"""Cache of the plans: what changes its name."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.terraform.plans import digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for folder in ("terraform", "events"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_digest_ignores_files_of_users(sources: Path) -> None:
    before = digest(sources)
    for name in (
        "terraform.tfvars",
        "my.auto.tfvars.json",
        "terraform.tfstate.backup",
        "backend.tf",
        ".terraform/x.tf",
    ):
        file = sources / "terraform" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    assert digest(sources) == before


@pytest.mark.parametrize("name", ["terraform/modules/queue/main.tf", "terraform/new.tf", "events/new.json"])
def test_digest_follows_sources(sources: Path, name: str) -> None:
    before = digest(sources)
    with (sources / name).open("a") as file:
        file.write("# changed")
    assert digest(sources) != before
