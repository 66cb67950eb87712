"""Run Terraform in `terraform/`, with the AWS provider from a mirror where Terraform's registry cannot be reached."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from scripts import ROOT
from scripts.process.entry_point import entry_point
from scripts.terraform.stack import check_terraform, provider_environment


@entry_point
def main() -> int:
    """Run Terraform and return its exit status."""
    parser = argparse.ArgumentParser(
        description="Run Terraform in terraform/, with the AWS provider from a filesystem mirror "
        "where Terraform's registry cannot be reached.",
        epilog="example: run_terraform.py init",
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments for Terraform")
    arguments = parser.parse_args().arguments
    check_terraform()
    environment = {**os.environ, **provider_environment(ROOT / "build", print)}  # the user's settings are meant here
    return subprocess.run(["terraform", *arguments], cwd=ROOT / "terraform", env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
