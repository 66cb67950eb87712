from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.demo_samples import Sample, finish, journey_of

if TYPE_CHECKING:
    from scripts.demo.journey import Journey


@pytest.fixture
def sample() -> Sample:
    return Sample()


@pytest.fixture
def journey(sample: Sample) -> Journey:
    return journey_of(sample)


@pytest.fixture
def finished(sample: Sample) -> Journey:
    return finish(journey_of(sample), sample)
