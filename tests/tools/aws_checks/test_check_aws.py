"""Every check accepts the project as it is, and finds each mistake that is planted in it.

A file `mistakes_<check>.py` next to this one lists mistakes in `MISTAKES`, by a title.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.check_aws import CHECKS
from scripts.terraform.plans import load_plans

if TYPE_CHECKING:
    from scripts.terraform.plans import Plan
    from tests.tools.aws_checks.planting import Mistake

MISTAKES: dict[str, Mistake] = {
    f"{path.stem.removeprefix('mistakes_')}: {title}": mistake
    for path in sorted(Path(__file__).parent.glob("mistakes_*.py"))
    for title, mistake in importlib.import_module(f"tests.tools.aws_checks.{path.stem}").MISTAKES.items()
}


# It reads the code, which a plan does not show: tests/terraform/test_versions.py plants mistakes there.
OF_CODE = {"provider 6"}


@pytest.fixture(scope="session")
def plans() -> list[Plan]:
    return load_plans()


@pytest.mark.parametrize("name", CHECKS)
def test_the_project_has_no_mistake(plans: list[Plan], name: str) -> None:
    assert list(CHECKS[name](plans)) == []


@pytest.mark.parametrize("title", MISTAKES)
def test_a_planted_mistake_is_found(plans: list[Plan], title: str) -> None:
    mistake = MISTAKES[title]
    found = [f"{finding.where}: {finding.what}" for finding in CHECKS[mistake.check](mistake.plant(plans))]
    assert any(mistake.finding in one for one in found), found


def test_every_check_has_planted_mistakes() -> None:
    assert {mistake.check for mistake in MISTAKES.values()} == set(CHECKS) - OF_CODE
    assert len(MISTAKES) >= 25
