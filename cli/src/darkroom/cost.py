"""`darkroom cost`: the cost of a million images, from the pipeline's own measurements and AWS's prices."""

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
    """Processor architecture of Lambda."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


LEAST_MEMORY, MOST_MEMORY = 128, 10240  # MB, limits of Lambda


def cost(
    name: Name,
    since: Annotated[
        str, typer.Option(help="Start of the measurements: 2026-03-01T12:00Z, or 90m, 24h, 7d for a time before now.")
    ] = "24h",
    through_api: Annotated[
        bool, typer.Option("--api/--direct", help="Uploads through the API, or directly to the bucket.")
    ] = False,
    memory: Annotated[
        int | None,
        typer.Option(min=LEAST_MEMORY, max=MOST_MEMORY, help="Memory of the function, in MB. Default: as deployed."),
    ] = None,
    architecture: Annotated[
        Architecture | None,
        typer.Option(help="Architecture of the function. Default: as deployed.", show_default=False),
    ] = None,
    standard: Annotated[bool, typer.Option("--standard", help="Compute the cost with a standard workflow.")] = False,
    images_per_month: Annotated[
        int, typer.Option(min=1, help="For the bill of a month, and for X-Ray's sampling.")
    ] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Show the cost of a million images by component, and what would change it.

    The measurements are the pipeline's own: times and sizes from the function's log, sizes of records, the workflow's
    definition. The prices have a date; terraform/prices.json has them with their sources.
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
        output.say("")
        output.say(section.title)
        if section.before:
            output.say(section.before)
        output.table(section.columns, section.rows)
        if section.after:
            output.say(section.after)
    if measured.notes:
        output.say("")
        output.say("Not measured here")
        for note in measured.notes:
            output.say(f"- {note}")
