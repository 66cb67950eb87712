"""Run Terraform in `terraform/`, with the AWS provider from a mirror where Terraform's registry cannot be reached."""

from __future__ import annotations

import argparse
import subprocess
import sys

from scripts import ROOT
from scripts.terraform.stack import TerraformError, check_terraform, terraform_environment


def main() -> int:
    """Run Terraform and return its exit status."""
    parser = argparse.ArgumentParser(
        description="Run Terraform in terraform/, with the AWS provider from a filesystem mirror "
        "where Terraform's registry cannot be reached.",
        epilog="example: run_terraform.py init",
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what to call Terraform with")
    arguments = parser.parse_args().arguments
    try:
        check_terraform()
        environment = terraform_environment(ROOT / "build", print)
    except TerraformError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    environment.pop("TF_INPUT")
    return subprocess.run(["terraform", *arguments], cwd=ROOT / "terraform", env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
