"""Good files with something changed in them end in a rendering or a rejection, every one of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from process_image.image import Limits, RejectedImageError, Variant, render
from process_image.isolation import Budget, run
from tests.product.hostile.mutations import SEEDS, mutate

EACH = 2_000
THUMBNAIL = [Variant(name="thumb", width=12, height=12, format="png")]
LIMITS = Limits(max_pixels=1_000_000)


def outcomes(seed: str) -> Counter[str]:
    chance = random.Random(f"mutations of {seed}")
    counted: Counter[str] = Counter()
    for number in range(EACH):
        data = mutate(SEEDS[seed], chance)
        try:
            render(data, THUMBNAIL, LIMITS)
        except RejectedImageError as rejection:
            counted[rejection.code] += 1
        except Exception as error:
            error.add_note(f"mutation {number} of {seed}: {data.hex()}")
            raise
        else:
            counted["processed"] += 1
    return counted


def test_number_of_mutations_is_twenty_thousand() -> None:
    assert len(SEEDS) * EACH >= 20_000


@pytest.mark.parametrize("seed", SEEDS)
def test_every_mutation_is_rendered_or_rejected(seed: str) -> None:
    counted = run(lambda: outcomes(seed), Budget(max_seconds=600)).result()
    assert counted.total() == EACH
    # Neither so strong that no decoder gets to see them nor so weak that nothing is broken.
    assert counted["processed"] >= EACH // 50
    assert counted["unreadable_image"] >= EACH // 20
