"""Scan Terraform's files, and the plan of the root, for what is unsafe: checkov, with `.checkov.yaml`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.process.entry_point import ToolError, entry_point
from scripts.process.environment import inherited
from scripts.terraform.plans import EVERYTHING, load_root

if TYPE_CHECKING:
    from scripts.terraform.plans import Plan, Resource

CHECKOV = ROOT / ".venvs" / "checkov" / "bin" / "checkov"
NAMES = {"aws_api_gateway_stage": ("arn", "id", "stage_name")}  # attributes that other resources name, if not the usual


@dataclass(frozen=True)
class Finding:
    """A check that failed on a resource."""

    check: str
    meaning: str
    resource: str
    file: str


@dataclass(frozen=True)
class Scan:
    """Result of a scan: the number of checks that passed and were skipped, and the failures."""

    passed: int
    skipped: int
    failed: tuple[Finding, ...]


def scan(*arguments: str) -> Scan:
    """Run checkov.

    Raises:
        ToolError: Checkov gave no result, or could not read a file.
    """
    run = subprocess.run(
        [str(CHECKOV), "--config-file", str(ROOT / ".checkov.yaml"), "--output", "json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**inherited("PYTHON"), "LOG_LEVEL": "ERROR"},
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
        variables.write_text(json.dumps(EVERYTHING))
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


def scan_plan(plan: Plan) -> Scan:
    """Scan the resources that a plan creates."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        file.write_text(json.dumps(document(plan)))
        return scan("--file", str(file), "--framework", "terraform_plan")


def document(plan: Plan) -> dict[str, Any]:
    """Return a plan in Terraform's JSON form, with the parts that checkov reads."""
    modules: dict[str, list[dict[str, Any]]] = {}
    for one in plan.resources.values():
        resource = {"address": one.address, "mode": "managed", "type": one.type, "name": one.name}
        modules.setdefault(one.module, []).append({**resource, "values": _values(plan, one)})
    root = {
        "resources": modules.pop("", []),
        "child_modules": [{"address": address, "resources": resources} for address, resources in modules.items()],
    }
    return {"format_version": "1.2", "terraform_version": "1", "planned_values": {"root_module": root}}


def _values(plan: Plan, resource: Resource) -> dict[str, Any]:
    """Return the attributes that are set, with a reference for a value that names another resource of the module.

    Checkov connects a resource with another one by references, such as a bucket with its encryption.
    """
    names = {
        one.value(key): f"{one.type}.{one.name}.{key}"
        for one in plan.resources.values()
        if one.module == resource.module and one.address != resource.address
        for key in NAMES.get(one.type, ("arn", "id"))
    }
    own = {resource.value(key) for key in ("arn", "id")}
    return {
        key: names.get(value, value) if isinstance(value, str) and value not in own else value
        for key, value in resource.values.items()
        if value is not None
    }


@entry_point
def main() -> int:
    """Scan files and plan, and print what failed; return the exit status."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    failures = 0
    for name, result in (("files", scan_files()), ("plan", scan_plan(load_root()))):
        failures += len(result.failed)
        print(f"{name}: {result.passed} checks passed, {result.skipped} skipped, {len(result.failed)} failed")
        for finding in result.failed:
            print(f"  {finding.check} {finding.resource} ({finding.file}): {finding.meaning}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
