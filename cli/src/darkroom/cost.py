"""`darkroom cost`: what a million images cost, from what the pipeline measured of itself and AWS's prices."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from darkroom import output
from darkroom.bill import sections
from darkroom.measurements import measure
from darkroom.options import Json, Name
from darkroom.pricing import Case, bill, by_component, compare, kept, load_prices, monthly, sizes, total, warmth
from darkroom.replay import moment
from darkroom.resources import Resources


class Architecture(StrEnum):
    """Of Lambda's processors."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


LEAST_MEMORY, MOST_MEMORY = 128, 10240  # MB, Lambda's


def cost(
    name: Name,
    since: Annotated[str, typer.Option(help="Of images since when: 2026-03-01T12:00Z, or 90m, 24h, 7d ago.")] = "24h",
    through_api: Annotated[
        bool, typer.Option("--api/--direct", help="Images come through the API, or straight into the bucket.")
    ] = False,
    memory: Annotated[
        int | None,
        typer.Option(min=LEAST_MEMORY, max=MOST_MEMORY, help="Of the function, in MB; without it, as it is."),
    ] = None,
    architecture: Annotated[
        Architecture | None, typer.Option(help="Of the function; without it, as it is.", show_default=False)
    ] = None,
    standard: Annotated[bool, typer.Option("--standard", help="As if the workflow were a standard one.")] = False,
    images_per_month: Annotated[
        int, typer.Option(min=1, help="For a month's bill, and for X-Ray's sampling.")
    ] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Show what a million images cost, by component, and what would change it.

    Measured is what the pipeline did of late: times and sizes from the function's log, sizes of records, the
    workflow's definition. The prices have a date: they are in terraform/prices.json, with their sources.
    """
    resources = Resources(name)
    until = datetime.now(UTC)
    measured, prices = measure(resources, moment(since, until), until), load_prices()
    if architecture:
        measured = replace(measured, architecture=architecture.value)
    case = Case(memory or measured.memory, through_api, standard, images_per_month)
    if as_json:
        lines = bill(measured, prices, case)
        output.document(
            {
                "measured": asdict(measured),
                "prices": {"date": prices.date, "region": prices.region},
                "case": asdict(case),
                "lines": [asdict(line) for line in lines],
                "components": by_component(lines),
                "usd_per_million": total(lines),
                "monthly": [asdict(line) for line in monthly(measured, prices)],
                "kept": [asdict(line) for line in kept(measured, prices)],
                "memory": [asdict(size) for size in sizes(measured, prices)],
                "warmth": asdict(warmth(measured, prices, case.memory)),
                "solution": asdict(compare(measured, prices, case)),
            }
        )
        return
    output.say(
        f"Measured: {measured.images} images, on {measured.engine}. "
        f"Prices: {prices.region}, {prices.date}, on demand, without free tier."
    )
    for section in sections(measured, prices, case):
        output.say(f"\n{section.title}")
        if section.before:
            output.say(section.before)
        output.table(section.columns, section.rows)
        if section.after:
            output.say(section.after)
    if measured.notes:
        output.say("\nNot measured here")
        for note in measured.notes:
            output.say(f"- {note}")
