"""The hostile texts are enough, and each is one."""

from __future__ import annotations

import re

from tests.product.api.rendering import patterns
from tests.support.hostile_names import HOSTILE


def test_number_of_names_is_sufficient() -> None:
    assert len(HOSTILE) >= 200


def test_few_hostile_texts_look_like_an_id() -> None:
    assert len([text for text in HOSTILE if re.fullmatch(patterns()["id"], text)]) < len(HOSTILE) // 10
