"""Run the project's checks and tests side by side, and sum up."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from scripts import ROOT
from scripts.process.entry_point import entry_point

BIN = ROOT / ".venvs" / "dev" / "bin"

SOURCES = ("benchmarks", "cli", "lambdas", "localstack_adapter", "scripts", "tests")

COVERAGE = ROOT / "build" / "coverage"
# All Python processes of a step with these variables are measured, see [tool.coverage] in pyproject.toml.
MEASURED = {
    "COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"),
    "COVERAGE_FILE": str(COVERAGE / "data"),
    "PROJECT_ROOT": str(ROOT),
}

REPORT_SECONDS = 1.0 if sys.stdout.isatty() else 60.0  # between two reports of what is running


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: Name in the summary.
        command: Program and arguments.
        environment: Variables in addition to those of this process.
        waits: The step waits for emulators more than it computes, so that it takes no processor from others.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    waits: bool = False

    @property
    def measured(self) -> bool:
        """True if the step counts for coverage."""
        return self.environment.items() >= MEASURED.items()


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """Return a command of the development environment."""
    return (str(BIN / name), *arguments)


CHECK = (
    Step("format", tool("ruff", "format", "--check", "--quiet", *SOURCES)),
    Step("lint", tool("ruff", "check", "--quiet", *SOURCES)),
    Step("types", tool("mypy", "--no-error-summary", *SOURCES)),
    Step("layers", tool("lint-imports", "--no-logo")),
    Step("english", tool("python", "scripts/check_english.py")),
    Step("terraform fmt", ("terraform", "fmt", "-check", "-recursive", "terraform")),
    Step("published", tool("python", "scripts/check_published.py")),
    Step("values of variables", tool("python", "scripts/check_tfvars.py")),
    Step("generated documents", tool("python", "scripts/generate_documents.py", "--check")),
    Step("architecture", tool("python", "scripts/document_architecture.py", "--check")),
    Step("aws", tool("python", "scripts/check_aws.py")),
    # Without shellcheck, which not every machine has.
    Step("workflows", tool("actionlint", "-shellcheck=", "-pyflakes=")),
    Step("workflow safety", tool("zizmor", "--offline", "--persona=pedantic", "--quiet", ".github")),
    Step("checkov", tool("python", "scripts/scan.py")),
)
SEPARATE = ("api", "cli", "hostile", "parts", "try_page")  # folders of tests/product with a step of their own
PRODUCT = (
    Step(
        "product",
        tool("pytest", "tests/product", *(f"--ignore=tests/product/{folder}" for folder in SEPARATE)),
        MEASURED,
    ),
    Step("command", tool("pytest", "tests/product/cli"), MEASURED),
    Step("hostile files", tool("pytest", "tests/product/hostile")),
    Step("API", tool("pytest", "tests/product/api")),
    Step("try page", tool("pytest", "tests/product/try_page")),
    Step("optional parts", (str(ROOT / ".venvs" / "parts" / "bin" / "pytest"), "tests/product/parts")),
    Step("benchmark", tool("python", "-m", "benchmarks", "--quick")),
)
TOOLS = (
    Step("tools", tool("pytest", "tests/tools", "--ignore=tests/tools/artifacts", "--ignore=tests/tools/aws_checks")),
    Step("packaging", tool("pytest", "tests/tools/artifacts")),
    Step("checks of AWS", tool("pytest", "tests/tools/aws_checks")),
    Step("site", (str(ROOT / ".venvs" / "site" / "bin" / "python"), "scripts/build_site.py")),
)
TERRAFORM = (Step("terraform", tool("pytest", "tests/terraform")),)
E2E = (Step("end to end", tool("pytest", "tests/e2e", "--numprocesses=auto", "-p", "no:randomly"), waits=True),)

# Parts of `make test PART=…`; GitHub runs each part in a job of its own. Long steps come first.
PARTS = {"e2e": E2E, "terraform": TERRAFORM, "product": PRODUCT, "tools": TOOLS, "check": CHECK}
SUITES = {**PARTS, "test": tuple(step for part in PARTS.values() for step in part)}


@dataclass(frozen=True)
class Outcome:
    """Result of a step: whether it passed, its duration, and all that it printed."""

    passed: bool
    seconds: float
    output: str
    note: str = ""


def run(step: Step) -> Outcome:
    """Run a step to its end."""
    started = time.monotonic()
    # A step that waits needs a processor for short moments only, but at once: emulated services have deadlines.
    done = subprocess.run(
        step.command if step.waits else ("nice", "-n", "10", *step.command),
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **step.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    last = done.stdout.rstrip().rpartition("\n")[2].strip("= ")
    counts = re.sub(r" in [\d.]+s.*", "", last) if re.search(r"\d+ (passed|failed)", last) else ""
    return Outcome(done.returncode == 0, time.monotonic() - started, done.stdout, counts)


def measure() -> Outcome:
    """Sum up the coverage of the measured steps; it must not be below the floor in pyproject.toml."""
    started = time.monotonic()
    environment = {**os.environ, "COVERAGE_FILE": MEASURED["COVERAGE_FILE"], "PROJECT_ROOT": MEASURED["PROJECT_ROOT"]}
    output, code = "", 0
    for command in (("combine", "--quiet"), ("report", "--skip-covered", "--show-missing")):
        done = subprocess.run(
            tool("coverage", *command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        output += done.stdout + done.stderr
        code = code or done.returncode
    total = re.search(r"^TOTAL .* (\S+%)$", output, re.MULTILINE)
    return Outcome(code == 0, time.monotonic() - started, output, f"{total[1]} of lambdas and cli" if total else "")


class Report:
    """Output for the user: a line for each step that ends, the output of a failed one, and the running steps."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started: dict[str, float] = {}

    def begin(self, step: Step) -> Outcome:
        """Run a step, and remember since when it runs."""
        self._started[step.name] = time.monotonic()
        return run(step)

    def end(self, name: str, outcome: Outcome) -> None:
        """Report how a step ended."""
        self._started.pop(name, None)
        result = "[green]passed[/]" if outcome.passed else "[red]failed[/]"
        self._console.print(f"{result}  {name}, {outcome.seconds:.0f} s  [dim]{outcome.note}")
        if not outcome.passed:
            self._console.rule(f"[bold]{name}")
            sys.stdout.write(outcome.output)
            sys.stdout.flush()
            self._console.rule()

    def running(self) -> str:
        """Return what runs, and for how long."""
        now = time.monotonic()
        return ", ".join(f"{name} {now - started:.0f} s" for name, started in self._started.copy().items())


def run_all(steps: tuple[Step, ...], jobs: int, console: Console) -> dict[str, Outcome]:
    """Run steps side by side: those that wait from the start, and `jobs` of the others at a time.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; no step is running any more.
    """
    report = Report(console)
    outcomes: dict[str, Outcome] = {}
    computing, waiting = ThreadPoolExecutor(jobs), ThreadPoolExecutor(len(steps))
    with computing, waiting, console.status("") as status:
        pending: dict[Future[Outcome], Step] = {
            (waiting if step.waits else computing).submit(report.begin, step): step for step in steps
        }
        reported = time.monotonic()
        try:
            while pending:
                done, _ = wait(pending, timeout=REPORT_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    name = pending.pop(future).name
                    outcomes[name] = future.result()
                    report.end(name, outcomes[name])
                if console.is_terminal:
                    status.update(f"[dim]running: {report.running()}")
                elif time.monotonic() - reported >= REPORT_SECONDS:
                    reported = time.monotonic()
                    console.print(f"[dim]running: {report.running()}")
        except KeyboardInterrupt:
            console.print("interrupted: waiting for the running steps to end")  # Ctrl-C has reached them, too
            for pool in (computing, waiting):
                pool.shutdown(cancel_futures=True)
            raise
    return outcomes


@entry_point
def main() -> int:
    """Run a suite; the exit status is 1 if any step failed."""
    parser = argparse.ArgumentParser(description="Run the project's checks and tests, or a part of them.")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--only", metavar="STEP", nargs="+", help="only these steps, by their names")
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 2,
        metavar="N",
        help="computing steps at a time (default: one for each processor)",
    )
    arguments = parser.parse_args()
    names = [step.name for step in SUITES[arguments.suite]]
    if unknown := set(arguments.only or ()) - set(names):
        parser.error(f"no such step: {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    if arguments.jobs < 1:
        parser.error("--jobs must be at least 1")
    steps = tuple(step for step in SUITES[arguments.suite] if not arguments.only or step.name in arguments.only)
    measured = {step.name for step in SUITES[arguments.suite] if step.measured}
    shutil.rmtree(COVERAGE, ignore_errors=True)
    COVERAGE.mkdir(parents=True)
    console = Console(highlight=False)
    try:
        outcomes = run_all(steps, arguments.jobs, console)
    except KeyboardInterrupt:
        return 130
    if measured and measured <= outcomes.keys() and all(outcomes[name].passed for name in measured):
        outcomes["coverage"] = measure()
        Report(console).end("coverage", outcomes["coverage"])
    summary = Table("step", "result", "seconds", "", title=f"make {arguments.suite}")
    for name, outcome in outcomes.items():
        result = "[green]passed" if outcome.passed else "[red]failed"
        summary.add_row(name, result, f"{outcome.seconds:.0f}", outcome.note)
    console.print(summary)
    failed = [name for name, outcome in outcomes.items() if not outcome.passed]
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
