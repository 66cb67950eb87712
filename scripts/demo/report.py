"""The demo's report: originals and derivatives, and each image's timeline, record and notification.

The report only needs its file and the folder `images` next to it.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.filesize import decimal

from darkroom.hops import Hop
from process_image.image import Limits, RejectedImageError, Variant, render
from scripts.demo.journey import SOURCES, describe_original, describe_outcome, describe_variant, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from scripts.demo.journey import Journey

TEMPLATE = "report.html.j2"
PREVIEW = Variant(name="original", width=1280, height=1280, format="webp")


class Figure(NamedTuple):
    """A picture in the report: its file, relative to the report, or None if it cannot be shown."""

    path: str | None
    title: str
    caption: str


class Segment(NamedTuple):
    """A stretch of a timeline, which ends with a hop; `left` and `width` are percentages."""

    hop: Hop
    left: float
    width: float


def write_report(
    directory: Path, began: datetime, journeys: Sequence[Journey], download: Callable[[Mapping[str, Any]], bytes]
) -> Path:
    """Write the report and the images it shows, and return its path.

    Args:
        directory: Folder of the report.
        began: Start of the run.
        journeys: The images.
        download: Returns the bytes of a derivative.
    """
    shutil.rmtree(directory / "images", ignore_errors=True)
    (directory / "images").mkdir(parents=True)

    def figures(numbered: tuple[int, Journey]) -> list[Figure]:
        return list(_figures(directory, *numbered, download))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cards = list(zip(journeys, pool.map(figures, enumerate(journeys, 1)), strict=True))
    complete = [journey for journey in journeys if journey.complete]
    totals = [journey.total for journey in complete if journey.total is not None]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "seconds": seconds,
        "outcome": describe_outcome,
        "documents": documents,
        "timeline": timeline,
        "hops": list(Hop),
        "sources": SOURCES,
    }
    html = environment.get_template(TEMPLATE).render(
        cards=cards,
        began=began,
        span=max((journey.seconds(hop) or 0 for journey in journeys for hop in Hop), default=0) or 1,
        numbers={
            **{status.lower(): count for status, count in Counter(journey.status for journey in journeys).items()},
            "derivatives": sum(len(journey.variants) for journey in complete),
            "seconds to the notification (median)": seconds(statistics.median(totals) if totals else None),
            "in": decimal(sum(journey.source.size for journey in complete)),
            "out": decimal(sum(variant["bytes"] for journey in complete for variant in journey.variants)),
        },
    )
    page = directory / "index.html"
    page.write_text(html, encoding="utf-8")
    return page


def _figures(
    directory: Path, number: int, journey: Journey, download: Callable[[Mapping[str, Any]], bytes]
) -> Iterator[Figure]:
    """Write an image's pictures, and yield a figure for the original and each derivative."""
    original = f"images/{number:03d}-original.webp"
    preview = preview_of(journey.source.path)
    if preview:
        (directory / original).write_bytes(preview)
    yield Figure(original if preview else None, "original", describe_original(journey))
    for variant in journey.variants:
        path = f"images/{number:03d}-{variant['key'].rpartition('/')[2]}"
        (directory / path).write_bytes(download(variant))
        title, _, caption = describe_variant(journey, variant).partition(" ")
        yield Figure(path, title, caption)


def preview_of(path: Path) -> bytes | None:
    """Return an original scaled down and upright, as the pipeline renders it; None if it would reject the file."""
    try:
        return render(path.read_bytes(), [PREVIEW], Limits()).derivatives[0].data
    except (RejectedImageError, OSError):
        return None


def timeline(journey: Journey, span: float) -> list[Segment]:
    """Return the segments between known hops, as percentages of `span` seconds."""
    known = [(hop, at) for hop in journey.hops if (at := journey.seconds(hop)) is not None]
    segments, before = [], 0.0
    for hop, at in sorted(known, key=lambda pair: pair[1]):
        segments.append(Segment(hop, before / span * 100, max(at - before, 0) / span * 100))
        before = max(at, before)
    return segments


def documents(journey: Journey) -> Iterator[tuple[str, str]]:
    """Yield titles and JSON of the image's record and notification, or of its outcome event."""
    found = {"Record, as the table holds it": journey.record, "Notification, as received": journey.notification}
    if journey.notification:
        found["Its message, read as JSON"] = json.loads(journey.notification["Message"])
    else:
        found["Event, as the bus delivered it"] = journey.event
    for title, document in found.items():
        if document is not None:
            yield title, json.dumps(document, indent=2, ensure_ascii=False)
