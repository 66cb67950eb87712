"""Scan Terraform's files and their plan for security problems: checkov, with `.checkov.yaml`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts import ROOT
from scripts.process.entry_point import ToolError, entry_point
from scripts.terraform.root_plan import VARIABLES, root_plan

CHECKOV = ROOT / ".venvs" / "checkov" / "bin" / "checkov"


@dataclass(frozen=True)
class Finding:
    """A check that failed on a resource."""

    check: str
    meaning: str
    resource: str
    file: str


@dataclass(frozen=True)
class Scan:
    """Result of a scan: numbers of checks passed and skipped, and the failures."""

    passed: int
    skipped: int
    failed: tuple[Finding, ...]


def scan(*arguments: str) -> Scan:
    """Run checkov.

    Raises:
        ToolError: It did not get as far as a result.
    """
    run = subprocess.run(
        [str(CHECKOV), "--config-file", str(ROOT / ".checkov.yaml"), "--output", "json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    try:
        report = json.loads(run.stdout)
        summary, failed = report["summary"], report["results"]["failed_checks"]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"checkov gave no result:\n{run.stdout}\n{run.stderr}") from error
    if summary["parsing_errors"]:
        raise ToolError(f"checkov could not read {summary['parsing_errors']} files:\n{run.stdout}")
    return Scan(
        passed=summary["passed"],
        skipped=summary["skipped"],
        failed=tuple(
            Finding(found["check_id"], found["check_name"], found["resource"], found["file_path"]) for found in failed
        ),
    )


def scan_files(directory: Path = ROOT / "terraform") -> Scan:
    """Scan the root, its modules and all examples as they are written."""
    with TemporaryDirectory() as folder:
        variables = Path(folder) / "scan.tfvars.json"
        variables.write_text(json.dumps(VARIABLES))
        return scan(
            "--directory",
            str(directory),
            "--framework",
            "terraform",
            "--var-file",
            str(variables),
            "--skip-path",
            "tests",
        )


def scan_plan() -> Scan:
    """Scan what the root's plan would make."""
    return scan("--file", str(root_plan()), "--framework", "terraform_plan")


@entry_point
def main() -> int:
    """Scan files and plan; report."""
    argparse.ArgumentParser(description="Scan Terraform's files and plan with checkov.").parse_args()
    failures = 0
    for name, run in (("files", scan_files), ("plan", scan_plan)):
        result = run()
        failures += len(result.failed)
        print(f"{name}: {result.passed} checks passed, {result.skipped} skipped, {len(result.failed)} failed")
        for finding in result.failed:
            print(f"  {finding.check} {finding.resource} ({finding.file}): {finding.meaning}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
