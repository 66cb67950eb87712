"""One run over a pipeline: compare images, repair differences, and return where the next run continues."""

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
    """Instructions for a run.

    Attributes:
        settled: Younger differences are ignored, because the pipeline may still be working on them.
        repairs: True to repair differences, False to report them only.
        prefix: Compare only images whose ids begin with it.
        start: Place to start from.
    """

    settled: datetime
    repairs: bool = False
    prefix: str = ""
    start: Place = BEGINNING


@dataclass
class Report:
    """Result of a run.

    Attributes:
        images: Number of compared images.
        found: Number of differences, by kind.
        repaired: Number of repaired differences, by kind.
        next: Place from which the next run continues; None if everything was compared.
    """

    images: int = 0
    found: Counter[Kind] = field(default_factory=Counter)
    repaired: Counter[Kind] = field(default_factory=Counter)
    next: Place | None = BEGINNING


def run(
    pipeline: Pipeline, plan: Plan, stop: Callable[[], bool], report_difference: Callable[[Difference, Outcome], None]
) -> Report:
    """Compare images, and repair differences, until everything is compared or it is time to stop.

    Args:
        pipeline: The pipeline.
        plan: The instructions.
        stop: Returns True if it is time to stop. It is called before every request and every repair; the next run
            repeats an unfinished page.
        report_difference: Called with each difference and the outcome of its repair.
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
                    report_difference(difference, outcome)
                report.images += 1
            report.next = page.next
            if page.next:
                check()
    except StoppedError:
        pass
    return report
