"""Files made to do harm are rejected for what they are, or processed; and what they ask for is not given."""

from __future__ import annotations

from collections import Counter

import pytest

from hostile.classes import CLASSES, FILES_EACH, LIMITS, PROCESSED, HostileClass
from process_image.image import RejectedImageError, Variant, render
from process_image.isolation import Budget, run

VARIANTS = [Variant(name="thumb", width=16, height=16), Variant(name="web", width=64, height=64, format="webp")]

# A bomb promises more than it is: these are refused for what they say, with nothing decoded.
BEFORE_DECODING = {"too_many_bytes", "too_many_pixels", "too_many_frames", "too_much_metadata", "too_complex"}
BOMBS = [one for one in CLASSES if one.outcome in BEFORE_DECODING]


def outcome(data: bytes) -> str:
    try:
        render(data, VARIANTS, LIMITS)
    except RejectedImageError as rejection:
        return rejection.code if str(rejection) else "no message"
    return PROCESSED


def test_there_are_as_many_as_is_said() -> None:
    assert len({one.name for one in CLASSES}) == len(CLASSES) >= 40
    assert len({hash(data) for one in CLASSES for data in one.files()}) >= 2_000
    # The same ones every time.
    assert [one.files() for one in CLASSES[:5]] == [one.files() for one in CLASSES[:5]]


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.name)
def test_each_file_becomes_what_it_must(one: HostileClass) -> None:
    finished = run(lambda: Counter(map(outcome, one.files())), Budget(max_seconds=120))
    assert finished.result() == {one.outcome: FILES_EACH}


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda one: one.name)
def test_a_bomb_is_refused_at_once_and_for_little_memory(bomb: HostileClass, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise SystemExit("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    data = max(bomb.files(), key=len)
    before, refused = run(lambda: None, Budget()), run(lambda: outcome(data), Budget())
    assert refused.result() == bomb.outcome
    # A process that is about to render has about 60 MB, which leaves as much of 128.
    assert refused.peak_rss - before.peak_rss <= 60
    assert refused.cpu_seconds <= 0.25
