"""`darkroom reconcile`: compare originals, derivatives and records, and repair differences."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from darkroom import output
from darkroom.errors import Exit
from darkroom.interrupt import graceful
from darkroom.options import Json, Name
from darkroom.resources import Resources
from reconcile.differences import Difference
from reconcile.repair import Outcome
from reconcile.run import Plan, run


def reconcile(
    name: Name,
    prefix: Annotated[str, typer.Option(help="Only images whose ids have this prefix.")] = "",
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair differences; otherwise they are only shown.")
    ] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Minutes that the pipeline may need: younger changes are skipped.")
    ] = 15,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Maximum number of repairs per second.")] = None,
    as_json: Json = False,
) -> Exit:
    """Show differences between originals, derivatives and records. --repair repairs them.

    The pipeline makes the repairs: it gets the event of the upload or the deletion, again or for the first time, and
    finishes the work. Derivatives without record and original are deleted, after they were checked again. The command
    can be interrupted at any time: a second run checks everything again. Exit code 3 if differences were not repaired.
    """
    plan = Plan(settled=datetime.now(UTC) - timedelta(minutes=grace), repairs=repair, prefix=prefix)
    with graceful("the current request is finished") as stop:

        def report_one(difference: Difference, outcome: Outcome) -> None:
            _print(difference, outcome, as_json=as_json)
            if rate and repair:
                stop.wait(1 / rate)

        report = run(Resources(name), plan, lambda: bool(stop), report_one)
    found, repaired = report.found.total(), report.repaired.total()
    if not as_json:
        counted = f"{report.images} images checked, {found} differences, {repaired} repaired"
        output.say(f"{counted}, interrupted: a second run checks all of them" if report.next else counted)
    if report.next:
        return Exit.INTERRUPTED
    if repair and repaired < found:
        return Exit.FAILED
    return Exit.FOUND if found and not repair else Exit.DONE


def _print(difference: Difference, outcome: Outcome, *, as_json: bool) -> None:
    fields = {
        "kind": difference.kind,
        "image_id": difference.image,
        "version": difference.version,
        "why": difference.why,
        "outcome": outcome.text,
    }
    *about, why, said = fields.values()
    output.result(fields, f"{'  '.join(about)}  {why}: {said}", as_json=as_json)
