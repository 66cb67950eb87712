"""Terminal output of the demo: steps, progress of the images, results. Plain lines if the output is not a terminal."""

# ruff: noqa: RUF001 - a dash and a multiplication sign are meant

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from darkroom.hops import Hop
from scripts.process.entry_point import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console, RenderableType

    from scripts.demo.journey import Journey

NOTHING = "–"

LINE_EVERY_SECONDS = 10  # during a step, without a terminal
WIDE = 100  # columns of a terminal, from which on there is room for gaps
NAME_WIDTH = 28
LEAST_NAME_WIDTH = 8
STATE_WIDTH = 9  # "Processed"
RESERVED_LINES = 7  # of the terminal's height, for all but the images

STYLES = {"Processed": "green", "Rejected": "yellow", "Not recorded": "bold red", "Not uploaded": "bold red"}


def seconds(value: float | None) -> str:
    """Return a time for a table; a dash if it is unknown."""
    return NOTHING if value is None else f"{value:.2f}"


def amount(count: float) -> str:
    """Return a readable size."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= 1000
    return f"{count:.1f} GB"


class Steps:
    """Steps of the demo, with their durations."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str, style: str = "") -> None:
        """Print lines."""
        self.console.print(Text("\n".join(map(printable, text.split("\n"))), style=style), soft_wrap=True)

    @contextmanager
    def step(self, doing: Callable[[], str]) -> Iterator[list[str]]:
        """Run a step; `doing` returns its current state. Entries of the yielded list are printed when it ends."""
        started = time.monotonic()
        done: list[str] = []

        def elapsed() -> str:
            return f"{time.monotonic() - started:.1f} s"

        if self.console.is_terminal:
            spinner = Spinner("dots", style="red")

            def render() -> RenderableType:
                spinner.update(text=Text.assemble(printable(doing()), "  ", (elapsed(), "dim")))
                return spinner

            with Live(get_renderable=render, console=self.console, refresh_per_second=10, transient=True):
                yield done
        else:
            with _talking(lambda: self.say(f"  ... {doing()}, {elapsed()}")):
                yield done
        self.console.print(
            Text.assemble(("✓ ", "green"), printable(" ".join(done) or doing()), (f"  {elapsed()}", "dim"))
        )


@contextmanager
def _talking(say: Callable[[], None]) -> Iterator[None]:
    """Print a message at intervals until the block ends."""
    over = threading.Event()

    def talk() -> None:
        while not over.wait(LINE_EVERY_SECONDS):
            say()

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class LiveJourneys:
    """Every image's way, as it goes: a table in a terminal, else one line for each when it is at its end."""

    def __init__(self, console: Console, journeys: Sequence[Journey]) -> None:
        self._console = console
        self._journeys = journeys
        self._reported: set[str] = set()
        self._lock = threading.Lock()
        self._spinner = Spinner("dots", style="red")

    @contextmanager
    def shown(self) -> Iterator[LiveJourneys]:
        """Show them until the block ends."""
        if self._console.is_terminal:
            # The last view is removed, because the results contain all of it.
            with Live(get_renderable=self._render, console=self._console, refresh_per_second=10, transient=True):
                yield self
        else:
            yield self
            for journey in self._journeys:
                self._report(journey)

    def update(self, journey: Journey) -> None:
        """Show an image's new state."""
        if not self._console.is_terminal and journey.over and (Hop.PICKED_UP in journey.times or journey.upload_failed):
            self._report(journey)

    def _report(self, journey: Journey) -> None:
        with self._lock:
            if journey.image_id not in self._reported:
                self._reported.add(journey.image_id)
                line = f"  {printable(journey.source.name)}: {journey.status}, {way(journey)}"
                self._console.print(Text(line), soft_wrap=True)

    def _render(self) -> RenderableType:
        journeys = list(self._journeys)
        over = sum(journey.over for journey in journeys)
        table = ways_table(self._window(journeys), self._state, width=self._console.width)
        line = Text(f"{over} of {len(journeys)} recorded and announced", style="dim")
        return Group(table, line)

    def _window(self, journeys: Sequence[Journey]) -> Sequence[Journey]:
        """Return the images that fit: those in progress, after the last ones that finished."""
        room = max(self._console.height - RESERVED_LINES, 3)
        if len(journeys) <= room:
            return journeys
        first = next((index for index, journey in enumerate(journeys) if not journey.over), len(journeys))
        start = min(max(first - room // 3, 0), len(journeys) - room)
        return journeys[start : start + room]

    def _state(self, journey: Journey) -> RenderableType:
        if journey.over:
            return Text(journey.status, style=STYLES.get(journey.status, ""))
        if journey.started is None:
            return Text("waits", style="dim")
        since = (datetime.now(UTC) - journey.started).total_seconds()
        frame = self._spinner.render(time.monotonic())
        text = Text(f"{since:.1f} s") if journey.trouble is None else Text(printable(journey.trouble), style="red")
        return Text.assemble(frame, " ", text) if isinstance(frame, Text) else text


def way(journey: Journey) -> str:
    """Return the hops in one line."""
    return ", ".join(f"{hop.value} {seconds(journey.seconds(hop))}" for hop in journey.hops)


def ways_table(journeys: Sequence[Journey], state: Callable[[Journey], RenderableType], *, width: int) -> Table:
    """Return a table with a line per image and a column per hop, for a terminal of a width; long names are cut."""
    gap = 2 if width >= WIDE else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    room = width - sum(len(hop.value) + gap for hop in Hop) - gap - STATE_WIDTH
    table.add_column("image", no_wrap=True, overflow="ellipsis", width=max(min(room, NAME_WIDTH), LEAST_NAME_WIDTH))
    for hop in Hop:
        table.add_column(hop.value, justify="right", no_wrap=True, min_width=len(hop.value))
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=max(room - NAME_WIDTH, 0) + STATE_WIDTH)
    for journey in journeys:
        following = None if journey.over or journey.started is None else journey.next_hop
        cells = []
        for hop in Hop:
            known = journey.seconds(hop)
            if known is None and hop is following:
                cells.append(Text("…", style="red"))
            else:
                cells.append(Text(seconds(known), style="dim" if known is None else ""))
        table.add_row(Text(printable(journey.source.name)), *cells, state(journey))
    return table


def results_table(journeys: Sequence[Journey], *, width: int) -> Table:
    """Return a table with the outcome of each image, for a terminal of a width."""
    gap = 2 if width >= WIDE else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    table.add_column(
        "image", overflow="ellipsis", no_wrap=True, max_width=NAME_WIDTH if width >= WIDE else NAME_WIDTH // 2
    )
    table.add_column("result", no_wrap=True)
    table.add_column("original", max_width=15)  # so that the size is on its own line
    table.add_column("derivatives with bytes saved, or reason", overflow="fold")
    table.add_column("seconds", justify="right", no_wrap=True)
    for journey in journeys:
        outcome = "\n".join(derivatives(journey)) or describe_outcome(journey)
        table.add_row(
            Text(printable(journey.source.name)),
            Text(journey.status, style=STYLES.get(journey.status, "")),
            Text(describe_original(journey)),
            Text("\n".join(map(printable, outcome.split("\n")))),
            Text(seconds(journey.total) + (" cold" if journey.cold_start else "")),
        )
    return table


def derivatives(journey: Journey) -> list[str]:
    """Return a line per derivative: name, pixels, bytes, and the share of the original's bytes that it saves."""
    return [
        f"{variant['name']} {dimensions(variant)} {amount(variant['bytes'])} "
        + change(variant["bytes"], journey.source.size)
        for variant in journey.variants
    ]


def change(after: int, before: int) -> str:
    """Return the change in size in per cent."""
    if not before:
        return NOTHING
    part = after / before - 1
    digits = 1 if -1 < part < -0.995 else 0  # noqa: PLR2004 - what would be rounded to all of it
    return f"{part:+.{digits}%}".replace("-", "\N{MINUS SIGN}")


def dimensions(picture: Mapping[str, Any]) -> str:
    """Return width and height in pixels."""
    return f"{picture['width']}×{picture['height']}"


def describe_original(journey: Journey) -> str:
    """Return size and format of the original."""
    original = journey.original
    size = amount(journey.source.size)
    if "width" not in original:
        return size
    return f"{dimensions(original)} {original['format']} {size}"


def describe_outcome(journey: Journey) -> str:
    """Return the outcome in a line, or the last known hop."""
    if journey.complete and journey.reason:
        return f"{journey.reason['code']}: {journey.reason['message']}"
    if journey.complete:
        return f"{len(journey.variants)} derivatives"
    if journey.trouble:
        return journey.trouble
    last = [hop for hop in Hop if hop in journey.times]
    return f"last known hop: {last[-1].value}" if last else "no known hop"
