"""`darkroom reconcile`: compare originals, derivatives and records, in all directions, and repair what differs."""

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
    prefix: Annotated[str, typer.Option(help="Only images whose ids begin so.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Repair what differs; otherwise it is only shown.")] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Minutes for which something may be under way: what is younger is left alone.")
    ] = 15,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Repair at most so many a second.")] = None,
    as_json: Json = False,
) -> Exit:
    """Show where originals, derivatives and records differ, and repair it with --repair.

    The pipeline does the repairing: it gets again, or for the first time, the event of the upload or the deletion, and
    finishes what is missing. Derivatives without record and original are deleted, after one more look. A second run
    looks anew: it can be interrupted at any time. Exit code 3 if something differs and was not repaired.
    """
    plan = Plan(settled=datetime.now(UTC) - timedelta(minutes=grace), repairs=repair, prefix=prefix)
    with graceful("the request at hand is finished") as stop:

        def tell(difference: Difference, outcome: Outcome) -> None:
            _tell(difference, outcome, as_json=as_json)
            if rate and repair:
                stop.wait(1 / rate)

        report = run(Resources(name), plan, lambda: bool(stop), tell)
    found, repaired = report.found.total(), report.repaired.total()
    if not as_json:
        counted = f"{report.images} images looked at, {found} differences, {repaired} repaired"
        output.say(f"{counted}, interrupted: a second run looks at all of them" if report.next else counted)
    if report.next:
        return Exit.INTERRUPTED
    if repair and repaired < found:
        return Exit.FAILED
    return Exit.FOUND if found and not repair else Exit.DONE


def _tell(difference: Difference, outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        output.line(
            {
                "kind": difference.kind,
                "image_id": difference.image,
                "version": difference.version,
                "why": difference.why,
                "outcome": outcome.text,
            }
        )
    else:
        output.say(f"{difference.kind}  {difference.image}  {difference.version}  {difference.why}: {outcome.text}")
