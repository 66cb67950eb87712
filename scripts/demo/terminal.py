"""Terminal output of the demo: steps, progress of the images, results. Plain lines if the output is not a terminal."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from darkroom.hops import Hop
from scripts.demo.journey import describe_original, describe_outcome, describe_variant, seconds
from scripts.process.entry_point import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from scripts.demo.journey import Journey

PLAIN_WIDTH = 140  # where there is no terminal
REFRESH_SECONDS = 0.1
LINE_EVERY_SECONDS = 10  # during a step, without a terminal
LEAST_NAME_WIDTH = 8
NAME_WIDTH = 28
HOPS_WIDTH = 80  # of all columns but the name
RESERVED_LINES = 7  # of the terminal's height, for all but the images

STYLES = {"Processed": "green", "Rejected": "yellow", "Not recorded": "bold red", "Not uploaded": "bold red"}


class Steps:
    """Steps of a tool, with their durations."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)

    def say(self, text: str, style: str = "") -> None:
        """Print lines."""
        self.console.print(Text("\n".join(map(printable, text.split("\n"))), style=style), soft_wrap=True)

    @contextmanager
    def step(self, doing: Callable[[], str]) -> Iterator[list[str]]:
        """Run a step; `doing` returns its current state. Entries of the yielded list are printed when it ends."""
        started = time.monotonic()
        done: list[str] = []

        def line(text: str) -> Text:
            return Text.assemble(printable(text), (f"  {time.monotonic() - started:.1f} s", "dim"))

        with self.console.status(line(doing())) as status:  # prints nothing without a terminal
            if self.console.is_terminal:
                shown = _repeated(lambda: status.update(line(doing())), REFRESH_SECONDS)
            else:
                shown = _repeated(
                    lambda: self.console.print("  ...", line(doing()), soft_wrap=True), LINE_EVERY_SECONDS
                )
            with shown:
                yield done
        self.console.print(Text("✓", style="green"), line(" ".join(done) or doing()), soft_wrap=True)


@contextmanager
def _repeated(show: Callable[[], None], every: float) -> Iterator[None]:
    """Call a function at intervals until the block ends."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every):
            show()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def live_journeys(console: Console, journeys: Sequence[Journey]) -> Iterator[Callable[[], None]]:
    """Show the images' hops until the block ends: a table in a terminal, otherwise a line for each finished image.

    Yields:
        The function to call when an image's state may have changed.
    """

    def render() -> RenderableType:
        over = sum(journey.over for journey in journeys)
        crowded = len(journeys) > console.height - RESERVED_LINES
        shown = [journey for journey in journeys if not (crowded and journey.over)]
        count = Text(f"{over} of {len(journeys)} recorded and announced", style="dim")
        return Group(count, hops_table(shown, console.width))

    if console.is_terminal:
        # The last view is removed, because the whole table follows.
        with Live(get_renderable=render, console=console, refresh_per_second=10, transient=True):
            yield lambda: None
        console.print(hops_table(journeys, console.width))
        return

    printed = set()

    def print_finished(*, all_of_them: bool = False) -> None:
        for journey in journeys:
            finished = journey.over and (Hop.PICKED_UP in journey.times or journey.upload_failed)
            if journey.image_id not in printed and (finished or all_of_them):
                printed.add(journey.image_id)
                hops = ", ".join(f"{hop.value} {seconds(journey.seconds(hop))}" for hop in journey.hops)
                line = f"  {printable(journey.source.name)}: {journey.status}, {hops}"
                console.print(Text(line), soft_wrap=True)

    yield print_finished
    print_finished(all_of_them=True)


def _table(*, width: int) -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2 if width >= 100 else 1, 0, 0), header_style="bold")  # noqa: PLR2004


def hops_table(journeys: Sequence[Journey], width: int) -> Table:
    """Return a table with a line per image and a column per hop; names are cut to a terminal of this width."""
    table = _table(width=width)
    name = min(max(width - HOPS_WIDTH, LEAST_NAME_WIDTH), NAME_WIDTH)
    table.add_column("image", no_wrap=True, overflow="ellipsis", max_width=name)
    for hop in Hop:
        table.add_column(hop.value, justify="right", no_wrap=True, min_width=len(hop.value))
    table.add_column("", no_wrap=True, overflow="ellipsis", min_width=len("Processed"))
    for journey in journeys:
        cells = (seconds(journey.seconds(hop)) for hop in Hop)
        table.add_row(Text(printable(journey.source.name)), *cells, _state(journey))
    return table


def _state(journey: Journey) -> Text:
    if journey.over:
        return Text(journey.status, style=STYLES.get(journey.status, ""))
    if journey.trouble:
        return Text(printable(journey.trouble), style="red")
    if journey.started is None:
        return Text("waits", style="dim")
    return Text(f"{(datetime.now(UTC) - journey.started).total_seconds():.1f} s …")


def results_table(journeys: Sequence[Journey], width: int) -> Table:
    """Return a table with the outcome of each image, for a terminal of this width."""
    table = _table(width=width)
    table.add_column("image", overflow="ellipsis", no_wrap=True, max_width=min(NAME_WIDTH, width // 5))
    table.add_column("result", no_wrap=True)
    table.add_column("original", max_width=15)  # so that the size is on its own line
    table.add_column("derivatives with change in size, or reason", overflow="fold")
    table.add_column("seconds", justify="right", no_wrap=True)
    for journey in journeys:
        outcome = [describe_variant(journey, variant) for variant in journey.variants] or [describe_outcome(journey)]
        table.add_row(
            Text(printable(journey.source.name)),
            Text(journey.status, style=STYLES.get(journey.status, "")),
            Text(describe_original(journey)),
            Text("\n".join(map(printable, outcome))),
            seconds(journey.total) + (" cold" if journey.cold_start else ""),
        )
    return table
