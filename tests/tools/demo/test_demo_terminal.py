from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from darkroom.hops import Hop
from scripts.demo.terminal import Steps, hops_table, live_journeys, results_table
from tests.support.demo_samples import Sample, finish, journey_of

if TYPE_CHECKING:
    from scripts.demo.journey import Journey


def output(*, terminal: bool = False, width: int = 140, height: int = 30) -> Console:
    return Console(
        file=io.StringIO(), width=width, height=height, highlight=False, force_terminal=terminal, color_system=None
    )


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def arrived(name: str, status: str = "Processed") -> Journey:
    sample = Sample(name, status=status)
    return finish(journey_of(sample), sample)


def test_names_cannot_steer_the_terminal() -> None:
    console, hostile = output(), [arrived("a\x1b[2J[red]b[/red].jpg")]
    with live_journeys(console, hostile):
        pass
    console.print(hops_table(hostile, 140))
    console.print(results_table(hostile, 140))
    assert said(console).count("a\\x1b[2J[red]b[/red].jpg") == 3
    assert "\x1b" not in said(console)


@pytest.mark.parametrize("width", [80, 140])
def test_every_hop_is_shown_with_time_or_dash(width: int, finished: Journey, journey: Journey) -> None:
    console = output(width=width)
    console.print(hops_table([finished, journey], width))
    header, line, unknown = said(console).splitlines()
    assert header.split() == ["image", *" ".join(hop.value for hop in Hop).split()]
    assert line.split()[-8:] == ["0.05", "0.06", "0.10", "0.70", "0.80", "0.90", "1.00", "Processed"]
    assert unknown.count("–") == len(Hop)  # noqa: RUF001 - a dash is meant
    assert max(map(len, said(console).splitlines())) <= width


def test_results_show_derivatives_and_reasons(finished: Journey) -> None:
    console = output()
    console.print(results_table([finished, arrived("torn.jpg", "Rejected")], 140))
    for text in ("Processed", "web 1024", "1.00 cold", "Rejected", "unreadable_image: it is damaged"):
        assert text in said(console)


def test_each_image_is_printed_once_without_terminal(finished: Journey) -> None:
    console, journey = output(), journey_of(Sample("other.jpg"))
    with live_journeys(console, [finished, journey]) as show:
        show()
        show()
        assert "Not recorded" not in said(console), "it may still come"
    lines = said(console).splitlines()
    assert len(lines) == 2
    assert "Processed, uploaded 0.05, routed 0.06, picked up 0.10" in lines[0]
    assert "Not recorded" in lines[1]


def test_low_terminal_shows_images_in_progress() -> None:
    journeys = [arrived(f"arrived {number}.jpg") for number in range(30)]
    journeys += [journey_of(Sample(f"on its way {number}.jpg")) for number in range(10)]
    console = output(terminal=True, height=20)
    with live_journeys(console, journeys):
        time.sleep(0.3)
        shown = said(console)
    assert "30 of 40 recorded and announced" in shown
    assert "on its way 0.jpg" in shown
    assert "arrived 0.jpg" not in shown
    assert "arrived 0.jpg" in said(console), "in the whole table, at the end"
    assert said(console).rindex("\x1b[?25h") > said(console).rindex("\x1b[?25l")


@pytest.mark.parametrize("terminal", [False, True])
def test_step_is_printed_when_it_succeeds(*, terminal: bool) -> None:
    console = output(terminal=terminal)
    with Steps(console).step(lambda: "It is being done") as done:
        done.append("It is done")
    assert "✓ It is done  0.0 s\n" in said(console)
    with pytest.raises(ValueError, match="broken"), Steps(console).step(lambda: "Another"):
        raise ValueError("broken")
    assert said(console).count("✓") == 1


@pytest.mark.parametrize(
    ("terminal", "interval"), [(False, "LINE_EVERY_SECONDS"), (True, "REFRESH_SECONDS")], ids=["plain", "terminal"]
)
def test_long_step_shows_its_state(interval: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
    monkeypatch.setattr(f"scripts.demo.terminal.{interval}", 0.05)
    console, states = output(terminal=terminal), iter(range(100))
    with Steps(console).step(lambda: f"{next(states)} of 56"):
        time.sleep(0.4)
    assert "1 of 56" in said(console)
