"""Run the project's checks and tests, say what runs, and sum up."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from stack import ROOT

BIN = ROOT / ".venvs" / "dev" / "bin"

SOURCES = ("benchmarks", "lambdas", "localstack_adapter", "scripts", "tests")


@dataclass(frozen=True)
class Step:
    """One command, and how it is called in the summary."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """A command of the development environment."""
    return (str(BIN / name), *arguments)


CHECK = (
    Step("format", tool("ruff", "format", "--check", "--quiet", *SOURCES)),
    Step("lint", tool("ruff", "check", "--quiet", *SOURCES)),
    Step("types", tool("mypy", "--no-error-summary", *SOURCES)),
    Step("layers", tool("lint-imports", "--no-logo"), {"PYTHONPATH": "lambdas"}),
    Step("terraform fmt", ("terraform", "fmt", "-check", "-recursive", "terraform")),
    Step("contracts", tool("python", "scripts/check_contracts.py")),
    Step("events page", tool("python", "scripts/document_events.py", "--check")),
    Step("API page", tool("python", "scripts/document_api.py", "--check")),
    Step("module pages", tool("python", "scripts/document_modules.py", "--check")),
    Step("checkov", tool("python", "scripts/scan.py")),
)
TEST = (
    Step(
        "unit",
        tool(
            "pytest", "tests/unit", "tests/api", "tests/benchmark", "tests/demo", "tests/documents", "tests/localstack"
        ),
    ),
    Step("hostile files", tool("pytest", "tests/hostile")),
    Step("optional parts", (str(ROOT / ".venvs" / "parts" / "bin" / "pytest"), "tests/parts")),
    Step("contracts tests", tool("pytest", "tests/contracts")),
    Step("page", tool("pytest", "tests/page")),
    Step("packaging", tool("pytest", "tests/packaging")),
    Step("benchmark", tool("python", "-m", "benchmarks", "--quick"), {"PYTHONPATH": "lambdas:tests"}),
    Step("terraform", tool("pytest", "tests/terraform")),
    Step("end to end", tool("pytest", "tests/e2e")),
)
SUITES = {"check": CHECK, "test": CHECK + TEST}


def run(step: Step) -> tuple[bool, str]:
    """Run a step, showing what it prints; returns whether it succeeded and its last line."""
    last = ""
    with subprocess.Popen(
        step.command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **step.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            last = line.strip() or last
    return process.returncode == 0, last


def main() -> int:
    """Run a suite; the exit status is 1 if any step failed."""
    parser = argparse.ArgumentParser(description="Run the project's checks, or its checks and tests.")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--only", metavar="STEP", nargs="+", help="only these steps, by their names")
    arguments = parser.parse_args()
    steps = [step for step in SUITES[arguments.suite] if not arguments.only or step.name in arguments.only]
    if not steps:
        parser.error(f"no such step; there are: {', '.join(step.name for step in SUITES[arguments.suite])}")
    console = Console()
    summary = Table("step", "result", "seconds", "", title=f"make {arguments.suite}")
    failed = []
    try:
        for step in steps:
            console.rule(f"[bold]{step.name}")
            started = time.monotonic()
            good, last = run(step)
            if not good:
                failed.append(step.name)
            counts = last.strip("= ") if re.search(r"\d+ (passed|failed)", last) else ""
            summary.add_row(
                step.name,
                "[green]passed" if good else "[red]failed",
                f"{time.monotonic() - started:.0f}",
                counts,
            )
    except KeyboardInterrupt:
        console.print("interrupted")
        return 130
    console.print(summary)
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
