from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.demo_samples import Told, finish, journey_of

if TYPE_CHECKING:
    from scripts.demo.journey import Journey


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def journey(told: Told) -> Journey:
    return journey_of(told)


@pytest.fixture
def finished(told: Told) -> Journey:
    return finish(journey_of(told), told)
