"""Copies of the Terraform configuration to run Terraform in, so that Terraform leaves nothing in the checkout."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.terraform.stack import LOCK, terraform_environment

if TYPE_CHECKING:
    from pathlib import Path

TERRAFORM = ROOT / "terraform"
LEFT_BEHIND = (".terraform", ".terraform.lock.hcl", "*.tfstate*", "*.tfvars*", "backend.tf")

ARCHITECTURE, RUNTIME = "arm64", "python3.13"  # the root's defaults


def copy_terraform(directory: Path) -> Path:
    """Copy `terraform/` and `events/` into a directory, add artifacts, and return the copy of `terraform/`.

    The artifacts are nearly empty: Terraform reads only their hashes.
    """
    shutil.copytree(TERRAFORM, directory / "terraform", ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    shutil.copy(LOCK, directory / "terraform")
    shutil.copytree(ROOT / "events", directory / "events")
    _package(directory / "build")
    return directory / "terraform"


def offline_environment(directory: Path) -> dict[str, str]:
    """Return an environment for Terraform without AWS credentials, with one folder of providers for all runs.

    Raises:
        TerraformError: Neither Terraform's registry nor a mirror of the provider is available.
    """
    providers = directory / "providers"
    providers.mkdir(exist_ok=True)
    return {
        **{name: value for name, value in terraform_environment(directory).items() if not name.startswith("AWS_")},
        "AWS_EC2_METADATA_DISABLED": "true",
        "TF_PLUGIN_CACHE_DIR": str(providers),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",  # the lock file is removed with the copy
    }


def _package(build: Path) -> None:
    build.mkdir()
    manifest = {}
    for handler in sorted((ROOT / "lambdas").glob("*/handler.py")):
        name = f"{handler.parent.name}-{ARCHITECTURE}-{RUNTIME}"
        with zipfile.ZipFile(build / f"{name}.zip", "w") as archive:
            archive.writestr(f"{handler.parent.name}/handler.py", "")
        manifest[name] = {"sha256": hashlib.sha256((build / f"{name}.zip").read_bytes()).hexdigest()}
    (build / "manifest.json").write_text(json.dumps(manifest))
