# ruff: noqa: RUF001 - a dash, a minus and a multiplication sign are meant

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from darkroom.hops import Hop
from scripts.demo.terminal import (
    LiveJourneys,
    Steps,
    amount,
    change,
    derivatives,
    describe_outcome,
    results_table,
    ways_table,
)
from tests.support.demo_samples import Sample, finish, journey_of

if TYPE_CHECKING:
    from scripts.demo.journey import Journey


def plain(width: int = 140) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, force_terminal=False)


def terminal(width: int = 140, height: int = 30) -> Console:
    return Console(
        file=io.StringIO(), width=width, height=height, highlight=False, force_terminal=True, color_system=None
    )


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def arrived(name: str) -> Journey:
    sample = Sample(name)
    return finish(journey_of(sample), sample)


def test_names_cannot_steer_the_terminal() -> None:
    console = plain()
    console.print(ways_table([arrived("a\x1b[2J[red]b[/red].jpg")], lambda _: "", width=140))
    assert "a\\x1b[2J[red]b[/red].jpg" in said(console)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (66_300, "66.3 kB"), (392_000, "392 kB"), (2.5e9, "2.5 GB")],
)
def test_amounts(count: float, text: str) -> None:
    assert amount(count) == text


@pytest.mark.parametrize(
    ("after", "before", "text"),
    [(50, 100, "−50%"), (4, 1000, "−99.6%"), (150, 100, "+50%"), (0, 100, "−100%"), (5, 0, "–")],
)
def test_changes(after: int, before: int, text: str) -> None:
    assert change(after, before) == text


def test_derivatives_show_the_saved_bytes(finished: Journey) -> None:
    assert derivatives(finished) == ["thumbnail 256×192 25.6 kB −94%", "web 1024×768 102 kB −74%"]


def test_hops_have_times_or_dashes(finished: Journey, journey: Journey) -> None:
    console = plain()
    console.print(ways_table([finished], lambda _: "", width=140))
    for time_text in ("0.05", "0.06", "0.10", "0.70", "0.80", "0.90", "1.00"):
        assert time_text in said(console)
    console = plain()
    console.print(ways_table([journey], lambda _: "", width=140))
    assert said(console).count("–") == 6
    assert said(console).count("…") == 1, "what is waited for"


def test_results_show_the_reason_of_a_rejection(sample: Sample) -> None:
    sample.status = "Rejected"
    console = plain()
    console.print(results_table([finish(journey_of(sample), sample)], width=140))
    assert "Rejected" in said(console)
    assert "unreadable_image: it is damaged" in said(console)


def test_an_outcome_says_how_far_it_came(journey: Journey, finished: Journey) -> None:
    assert describe_outcome(journey) == "no known hop"
    journey.times = {hop: when for hop, when in finished.times.items() if hop.value in ("uploaded", "routed")}
    assert describe_outcome(journey) == "last known hop: routed"
    journey.trouble = "AccessDenied"
    assert describe_outcome(journey) == "AccessDenied"


def test_each_image_is_printed_once_without_terminal(finished: Journey) -> None:
    console, journey = plain(), journey_of(Sample("other.jpg"))
    live = LiveJourneys(console, [finished, journey])
    with live.shown():
        for _ in range(3):
            live.update(finished)
            live.update(journey)
        assert "Not recorded" not in said(console), "it may still come"
    lines = said(console).splitlines()
    assert len(lines) == 2
    assert "Processed, uploaded 0.05, routed 0.06, picked up 0.10" in lines[0]
    assert "Not recorded" in lines[1]
    assert "\x1b" not in said(console)


def test_terminal_shows_images_that_fit_and_cursor(journey: Journey) -> None:
    journeys = [arrived(f"arrived {number}.jpg") for number in range(40)]
    journeys[30:] = [journey_of(Sample(f"on its way {number}.jpg")) for number in range(10)]
    console = terminal(height=20)
    with LiveJourneys(console, journeys).shown():
        time.sleep(0.3)
    shown = said(console)
    assert "30 of 40 recorded and announced" in shown
    assert "on its way 0.jpg" in shown
    assert "arrived 0.jpg" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_a_narrow_terminal_shows_every_hop(finished: Journey) -> None:
    console = terminal(width=80)
    console.print(ways_table([finished], lambda _: "Processed", width=80))
    header, line = said(console).splitlines()
    assert header.split() == ["image", *" ".join(hop.value for hop in Hop).split()]
    assert line.split()[-8:] == ["0.05", "0.06", "0.10", "0.70", "0.80", "0.90", "1.00", "Processed"]
    assert max(map(len, said(console).splitlines())) <= 80


def test_step_is_printed_when_it_ends() -> None:
    console = plain()
    with Steps(console).step(lambda: "It is being done") as done:
        done.append("It is done")
    assert said(console).startswith("✓ It is done  ")


def test_failed_step_is_not_printed_as_done() -> None:
    console = plain()
    with pytest.raises(ValueError, match="broken"), Steps(console).step(lambda: "It is being done"):
        raise ValueError("broken")
    assert "✓" not in said(console)


def test_a_long_step_says_what_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.demo.terminal.LINE_EVERY_SECONDS", 0.05)
    console = plain()
    with Steps(console).step(lambda: "3 of 56"):
        time.sleep(0.2)
    assert "... 3 of 56" in said(console)
