from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.demo_samples import Sample, finish, journey_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.demo.journey import Journey


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def sample() -> Sample:
    return Sample()


@pytest.fixture
def journey(sample: Sample) -> Journey:
    return journey_of(sample)


@pytest.fixture
def finished(sample: Sample) -> Journey:
    return finish(journey_of(sample), sample)
