"""Only the table of capabilities may skip a test: a test that is skipped for any other reason fails.

Hooks of pytest's. A skip mark, `pytest.skip`, `importorskip`, `unittest` and an expected failure all end in a report
that says "skipped", of a test or of a whole module; the table's own reasons alone are let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

TABLE = "by the table of engines: "

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def skip(reason: str) -> NoReturn:
    """Skip the running test with a reason from the table."""
    pytest.skip(TABLE + reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let only the table skip a test."""
    report = yield
    return _refuse(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let nothing skip a module."""
    report = yield
    return _refuse(report)


def _refuse(report: Report) -> Report:
    """Turn a skip that is not the table's into a failure."""
    if report.skipped and not _reason(report).startswith(f"Skipped: {TABLE}"):
        report.outcome = "failed"
        report.longrepr = (
            f"{report.nodeid} is skipped ({_reason(report)}), but not by the table in tests/e2e/engines.py: "
            "mark what it needs with `needs`."
        )
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the reason of a skip."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    return getattr(report, "wasxfail", str(report.longrepr))
