"""Folders with Terraform code, as paths below `terraform/`."""

from __future__ import annotations

from pathlib import Path

from scripts.terraform.copy import TERRAFORM

MODULES = sorted(path.relative_to(TERRAFORM) for path in TERRAFORM.glob("modules/*") if path.is_dir())
EXAMPLES = sorted(path.parent.relative_to(TERRAFORM) for path in TERRAFORM.glob("modules/*/examples/*/main.tf"))
ROOT = Path()
DEPLOYMENTS = sorted(path.parent.relative_to(TERRAFORM) for path in TERRAFORM.glob("examples/*/main.tf"))
TESTED = [ROOT, *DEPLOYMENTS, *MODULES]
