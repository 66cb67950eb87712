"""The demo's report: originals and derivatives, and each image's timeline, record and notification.

The report only needs its file and the folder `images` next to it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image, ImageOps, UnidentifiedImageError

from darkroom.hops import Hop
from scripts.demo.journey import SOURCES
from scripts.demo.terminal import amount, change, describe_original, describe_outcome, dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from scripts.demo.journey import Journey

TEMPLATE = "report.html.j2"

LARGE_PIXELS = 1024  # of a derivative that takes one share of a row
PREVIEW_PIXELS = 1280  # of the longer side
DECODED_PIXELS = 120_000_000  # what decoding an original for its preview may take at most
PLACEHOLDER = (480, 320)  # pixels of a placeholder
PREVIEW_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP", "JPEG2000")
ORIENTATION_TAG = 0x0112
UPRIGHT = 1

TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300)
MOST_TICKS = 8


class Results(Protocol):
    """Results of a run to display."""

    began: datetime
    journeys: list[Journey]

    def download(self, variant: Mapping[str, Any]) -> bytes:
        """Return the bytes of a derivative."""


@dataclass(frozen=True)
class Print:
    """A picture on the page.

    Attributes:
        title: Heading.
        path: File, relative to the report; None if it cannot be shown.
        width: Width of the preview in pixels.
        height: Pixels.
        facts: Details, one per line.
        change: Size compared with the original.
        share: Share of the row.
    """

    title: str
    path: str | None
    width: int
    height: int
    facts: tuple[str, ...]
    change: str | None = None
    share: float = 1


@dataclass(frozen=True)
class Segment:
    """A stretch of a timeline, which ends with a hop; `left` and `width` are percentages."""

    hop: Hop
    left: float
    width: float
    seconds: float


@dataclass(frozen=True)
class Card:
    """All that the page says of one image."""

    journey: Journey
    status: str
    summary: str
    original: Print
    prints: tuple[Print, ...]
    timeline: tuple[Segment, ...]
    in_run: tuple[Segment, ...]
    documents: tuple[tuple[str, Markup], ...]


def write_page(directory: Path, results: Results) -> Path:
    """Write the page and the images it shows; gives its path."""
    images = directory / "images"
    shutil.rmtree(images, ignore_errors=True)
    span = run_seconds(results)

    def card(numbered: tuple[int, Journey]) -> Card:
        number, journey = numbered
        folder = f"{number:03d}-{slug(journey.source.name)}"
        (images / folder).mkdir(parents=True)
        return _card(journey, results, images / folder, span)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cards = list(pool.map(card, enumerate(results.journeys, 1)))
    page = directory / "index.html"
    page.write_text(render(cards, results.began, span), encoding="utf-8")
    return page


def render(cards: Sequence[Card], began: datetime, span: float) -> str:
    """Return the report as HTML; names and texts are escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    totals = sorted(card.journey.total for card in cards if card.journey.total is not None)
    complete = [card.journey for card in cards if card.journey.complete]
    return environment.get_template(TEMPLATE).render(
        cards=cards,
        hops=list(Hop),
        sources=SOURCES,
        began=began,
        ticks=ticks(span),
        median=statistics.median(totals) if totals else None,
        counts=counts(card.status for card in cards),
        bytes_in=amount(sum(journey.source.size for journey in complete)),
        bytes_out=amount(sum(v["bytes"] for journey in complete for v in journey.variants)),
        derivatives=sum(len(journey.variants) for journey in complete),
    )


def counts(statuses: Iterable[str]) -> dict[str, int]:
    """Return the number of images per status, in the order of their first occurrence."""
    found: dict[str, int] = {}
    for status in statuses:
        found[status] = found.get(status, 0) + 1
    return found


def slug(name: str) -> str:
    """Return a file's name reduced to characters that folders and URLs need not escape."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "image"


# Timelines


def run_seconds(results: Results) -> float:
    """Return the seconds from the start of the run to its last known event."""
    last = [time for journey in results.journeys for time in journey.times.values()]
    return max(((time - results.began).total_seconds() for time in last), default=0)


def timeline(journey: Journey, *, begin: float = 0, span: float | None = None) -> tuple[Segment, ...]:
    """Return the segments between known hops, as percentages of `span` seconds, or of the whole journey.

    Args:
        journey: The image's journey.
        begin: Seconds from the start of the span to the start of the upload.
        span: Seconds that are 100 %.
    """
    known = [(at, hop) for hop in journey.hops if (at := journey.seconds(hop)) is not None]
    known.sort(key=lambda pair: pair[0])
    whole = span or (known[-1][0] if known else 0)
    if whole <= 0:
        return ()
    segments, before = [], 0.0
    for at, hop in known:
        stretch = max(at - before, 0)
        segments.append(Segment(hop, (begin + before) / whole * 100, stretch / whole * 100, stretch))
        before = max(at, before)
    return tuple(segments)


def ticks(span: float) -> list[tuple[float, float]]:
    """Round seconds to mark on an axis of `span` seconds, each with its place in per cent."""
    if span <= 0:
        return []
    step = next((tick for tick in TICKS if span / tick <= MOST_TICKS), TICKS[-1])
    return [(round(step * i, 1), step * i / span * 100) for i in range(int(span / step) + 1)]


# Cards


def _card(journey: Journey, results: Results, folder: Path, span: float) -> Card:
    begin = (journey.started - results.began).total_seconds() if journey.started else 0
    return Card(
        journey=journey,
        status=journey.status,
        summary=describe_outcome(journey),
        original=_original(journey, folder),
        prints=tuple(_derivative(journey, variant, results, folder) for variant in journey.variants),
        timeline=timeline(journey),
        in_run=timeline(journey, begin=begin, span=span),
        documents=tuple(_documents(journey)),
    )


def _original(journey: Journey, folder: Path) -> Print:
    facts = [describe_original(journey)]
    shown = preview(journey.source.path)
    if shown is None:
        return Print("original", None, *PLACEHOLDER, tuple(facts), share=1.6)
    picture, orientation = shown
    if orientation != UPRIGHT:
        facts.append(f"stored turned: EXIF orientation {orientation}")
    path = folder / "original.webp"
    picture.save(path, "WEBP", quality=82, method=2, icc_profile=picture.info.get("icc_profile") or b"")
    return Print(
        "original", f"images/{folder.name}/{path.name}", picture.width, picture.height, tuple(facts), share=1.6
    )


def preview(path: Path) -> tuple[Image.Image, int] | None:
    """Return a file as an upright preview, and its stored EXIF orientation.

    Returns None for a file that is not an image, is too large, or cannot be decoded.
    """
    Image.init()  # otherwise Pillow only knows the most common formats
    try:
        with Image.open(path, formats=PREVIEW_FORMATS) as image:
            image.draft("RGB", (PREVIEW_PIXELS, PREVIEW_PIXELS))
            if image.width * image.height > DECODED_PIXELS:
                return None
            orientation = image.getexif().get(ORIENTATION_TAG, UPRIGHT)
            image.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
            upright = ImageOps.exif_transpose(image)
            if upright.mode not in ("RGB", "RGBA"):
                upright.info.pop("icc_profile", None)  # it is for other channels
                upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            return upright, orientation
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def _derivative(journey: Journey, variant: Mapping[str, Any], results: Results, folder: Path) -> Print:
    suffix = re.sub(r"[^a-z0-9]", "", variant["key"].rpartition(".")[2].lower())
    path = folder / f"{slug(variant['name'])}.{suffix}"
    path.write_bytes(results.download(variant))
    form = variant["content_type"].removeprefix("image/")
    return Print(
        title=variant["name"],
        path=f"images/{folder.name}/{path.name}",
        width=variant["width"],
        height=variant["height"],
        facts=(f"{dimensions(variant)} {form} {amount(variant['bytes'])}",),
        change=change(variant["bytes"], journey.source.size),
        share=max(min((max(variant["width"], variant["height"]) / LARGE_PIXELS) ** 0.5, 1.3), 0.5),
    )


def _documents(journey: Journey) -> Iterable[tuple[str, Markup]]:
    if journey.record is not None:
        yield "Record, as the table holds it", pretty(journey.record)
    if journey.notification is not None:
        yield "Notification, as received", pretty(journey.notification)
        yield "Its message, read as JSON", pretty(json.loads(journey.notification["Message"]))
    elif journey.event is not None:
        yield "Event, as the bus delivered it", pretty(journey.event)


_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<other>\b(?:true|false|null|-?[\d.]+)\b)'
)


def pretty(document: Mapping[str, Any]) -> Markup:
    """Return JSON, indented and coloured, as HTML."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    parts, end = [], 0
    for token in _TOKEN.finditer(text):
        parts += [escape(text[end : token.start()]), Markup('<i class="{}">{}</i>').format(token.lastgroup, token[0])]
        end = token.end()
    return Markup("").join([*parts, escape(text[end:])])
