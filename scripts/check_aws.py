"""Check what Terraform would create against AWS's published data, offline: `scripts/aws_checks/`."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from scripts.aws_checks import endpoints, iam, kms, metrics, neighbours, provider6, shapes, values
from scripts.process.entry_point import entry_point
from scripts.terraform.plans import load_plans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scripts.aws_checks.findings import Finding
    from scripts.terraform.plans import Plan

CHECKS: Mapping[str, Callable[[Sequence[Plan]], Iterator[Finding]]] = {
    "endpoints": endpoints.check,
    "iam": iam.check,
    "kms": kms.check,
    "metrics": metrics.check,
    "neighbours": neighbours.check,
    "provider 6": provider6.check,
    "shapes": shapes.check,
    "values": values.check,
}


@entry_point
def main() -> int:
    """Run the checks and print their findings; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CHECKS, nargs="+", default=list(CHECKS), help="run these checks only")
    arguments = parser.parse_args()
    plans = load_plans()
    found = 0
    for name in arguments.only:
        started = time.monotonic()
        findings = sorted(set(CHECKS[name](plans)))
        found += len(findings)
        print(f"{name}: {len(findings)} findings in {time.monotonic() - started:.1f} s")
        for finding in findings:
            print(f"  {finding.plan}: {finding.where}: {finding.what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
