from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from darkroom.cli import main
from darkroom.errors import OperatorError
from darkroom.replay import moment

if TYPE_CHECKING:
    from darkroom.resources import Resources

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(days=1)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-02-28T12:00Z", NOW - timedelta(days=1)),
        ("2026-02-28T12:00", NOW - timedelta(days=1)),
        ("2026-02-28T13:00+01:00", NOW - timedelta(days=1)),
    ],
)
def test_a_time_is_absolute_or_a_duration(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


def test_other_text_is_not_a_time() -> None:
    with pytest.raises(OperatorError, match="7d for a time before now"):
        moment("yesterday", NOW)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "1h", "--until", "2h"], "is not before"),
        (["--since", "1h", "--kind", "image-processed"], "object-created or object-deleted"),
        (["--since", "1h"], "no archive unit-uploads-events"),
    ],
)
def test_an_impossible_replay_is_an_error(
    resources: Resources, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "uploads", *arguments]) == 1
    assert said in capsys.readouterr().err
