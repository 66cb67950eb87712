"""Run the project's checks and tests, two at once, say what runs, and sum up."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from scripts import ROOT
from scripts.process.entry_point import entry_point

BIN = ROOT / ".venvs" / "dev" / "bin"

SOURCES = ("benchmarks", "cli", "lambdas", "localstack_adapter", "scripts", "tests")


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: How it is called in the summary.
        command: What is run.
        environment: Variables besides those of this process.
        waits: It waits for an emulator more than it computes.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    waits: bool = False


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """A command of the development environment."""
    return (str(BIN / name), *arguments)


CHECK = (
    Step("format", tool("ruff", "format", "--check", "--quiet", *SOURCES)),
    Step("lint", tool("ruff", "check", "--quiet", *SOURCES)),
    Step("types", tool("mypy", "--no-error-summary", *SOURCES)),
    Step("layers", tool("lint-imports", "--no-logo")),
    Step("terraform fmt", ("terraform", "fmt", "-check", "-recursive", "terraform")),
    Step("published", tool("python", "scripts/check_published.py")),
    Step("values of variables", tool("python", "scripts/check_tfvars.py")),
    Step("events page", tool("python", "scripts/document_events.py", "--check")),
    Step("API page", tool("python", "scripts/document_api.py", "--check")),
    Step("module pages", tool("python", "scripts/document_modules.py", "--check")),
    Step("cost page", tool("python", "scripts/document_cost.py", "--check")),
    Step("security page", tool("python", "scripts/document_security.py", "--check")),
    Step("architecture", tool("python", "scripts/document_architecture.py", "--check"), waits=True),
    Step("aws", tool("python", "scripts/check_aws.py")),
    # Not with whatever shellcheck a machine has: the same everywhere.
    Step("workflows", tool("actionlint", "-shellcheck=", "-pyflakes=")),
    Step("workflow safety", tool("zizmor", "--offline", "--persona=pedantic", "--quiet", ".github")),
    Step("checkov", tool("python", "scripts/scan.py")),
)
TEST = (
    Step(
        "unit",
        tool(
            "pytest",
            "tests/product/events",
            "tests/product/image",
            "tests/product/presign_upload",
            "tests/product/process_image",
            "tests/product/reconcile",
            "tests/tools/architecture",
            "tests/tools/benchmarks",
            "tests/tools/demo",
            "tests/tools/documents",
            "tests/tools/engines",
            "tests/tools/release",
            "tests/tools/render",
            "tests/tools/smoke",
            "tests/product/cli",
        ),
    ),
    Step("API", tool("pytest", "tests/product/api")),  # alone: the engine of its templates is a child of the process
    Step("checks of AWS", tool("pytest", "tests/tools/aws_checks")),
    Step("hostile files", tool("pytest", "tests/product/hostile")),
    Step("optional parts", (str(ROOT / ".venvs" / "parts" / "bin" / "pytest"), "tests/product/parts")),
    Step("contracts tests", tool("pytest", "tests/tools/contracts")),
    Step("page", tool("pytest", "tests/product/try_page")),
    Step("packaging", tool("pytest", "tests/tools/artifacts")),
    Step("benchmark", tool("python", "-m", "benchmarks", "--quick")),
    Step("site", (str(ROOT / ".venvs" / "site" / "bin" / "python"), "scripts/build_site.py")),
    Step("terraform", tool("pytest", "tests/terraform")),
    Step("end to end", tool("pytest", "tests/e2e"), waits=True),
)
SUITES = {"check": CHECK, "test": CHECK + TEST}


@dataclass(frozen=True)
class Outcome:
    """How a step ended: whether well, after how many seconds, and all that it printed."""

    good: bool
    seconds: float
    output: str

    @property
    def counts(self) -> str:
        """The last line, if it counts tests."""
        last = self.output.rstrip().rpartition("\n")[2].strip("= ")
        return last if re.search(r"\d+ (passed|failed)", last) else ""


def run(step: Step) -> Outcome:
    """Run a step to its end."""
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **step.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(done.returncode == 0, time.monotonic() - started, done.stdout)


@entry_point
def main() -> int:
    """Run a suite; the exit status is 1 if any step failed."""
    parser = argparse.ArgumentParser(description="Run the project's checks, or its checks and tests.")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--only", metavar="STEP", nargs="+", help="only these steps, by their names")
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="steps at once; some wait more than they compute (default: 2)"
    )
    arguments = parser.parse_args()
    steps = [step for step in SUITES[arguments.suite] if not arguments.only or step.name in arguments.only]
    if not steps:
        parser.error(f"no such step; there are: {', '.join(step.name for step in SUITES[arguments.suite])}")
    if arguments.jobs < 1:
        parser.error("--jobs must be at least 1")
    console = Console()

    def begin(step: Step) -> Outcome:
        console.print(f"[dim]{step.name} …")
        return run(step)

    outcomes: dict[str, Outcome] = {}
    with ThreadPoolExecutor(arguments.jobs) as pool:
        # What waits for an emulator begins first: what computes fits in beside it.
        running = {pool.submit(begin, step): step for step in sorted(steps, key=lambda step: not step.waits)}
        try:
            for future in as_completed(running):
                step, outcome = running[future], future.result()
                outcomes[step.name] = outcome
                console.rule(f"[bold]{step.name}")
                sys.stdout.write(outcome.output)
                sys.stdout.flush()
        except KeyboardInterrupt:
            console.print("interrupted: what was running tidies up")  # Ctrl-C has reached it, too
            pool.shutdown(cancel_futures=True)
            return 130
    summary = Table("step", "result", "seconds", "", title=f"make {arguments.suite}")
    for step in steps:
        outcome = outcomes[step.name]
        result = "[green]passed" if outcome.good else "[red]failed"
        summary.add_row(step.name, result, f"{outcome.seconds:.0f}", outcome.counts)
    console.print(summary)
    failed = [step.name for step in steps if not outcomes[step.name].good]
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
