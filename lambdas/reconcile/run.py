"""One run over a pipeline: what it found, what it repaired, and where the next one goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconcile.differences import Kind, differences
from reconcile.pipeline import Check, StoppedError
from reconcile.repair import NOT_REPAIRED, Outcome, repair
from reconcile.walk import BEGINNING, Place, Walker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reconcile.differences import Difference
    from reconcile.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is to do.

    Attributes:
        settled: What is younger may be under way, and is left alone.
        repairs: Whether to repair, or only to tell.
        prefix: Only images whose ids begin so.
        start: Where to begin.
    """

    settled: datetime
    repairs: bool = False
    prefix: str = ""
    start: Place = BEGINNING


@dataclass
class Report:
    """What a run did.

    Attributes:
        images: How many were compared.
        found: How many differences, by kind.
        repaired: How many of them were repaired, by kind.
        next: Where the next run goes on; none if all was looked at.
    """

    images: int = 0
    found: Counter[Kind] = field(default_factory=Counter)
    repaired: Counter[Kind] = field(default_factory=Counter)
    next: Place | None = BEGINNING


def run(
    pipeline: Pipeline, plan: Plan, stop: Callable[[], bool], tell: Callable[[Difference, Outcome], None]
) -> Report:
    """Compare images, and repair what differs, until all is done or it is time to stop.

    Args:
        pipeline: What to look at.
        plan: What to do.
        stop: Asked before every request and every repair. A page that was not finished is looked at again next time.
        tell: Told of each difference.
    """
    report, check = Report(next=plan.start), Check(stop)
    try:
        for page in Walker(pipeline, plan.prefix, check).pages(plan.start):
            for image in page.images:
                for difference in differences(image, plan.settled):
                    check()
                    outcome = repair(pipeline, difference) if plan.repairs else NOT_REPAIRED
                    report.found[difference.kind] += 1
                    report.repaired[difference.kind] += outcome.repaired
                    tell(difference, outcome)
                report.images += 1
            report.next = page.next
            if page.next:
                check()
    except StoppedError:
        pass
    return report
