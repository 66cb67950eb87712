"""Tell what a machine lacks: Python, Terraform. Runs before anything is installed, on any Python 3."""

import json
import re
import shutil
import subprocess
import sys

PYTHON = (3, 11)
TERRAFORM = (1, 11)


def missing() -> "list[str]":
    """What is missing, a sentence each."""
    found = []
    if sys.version_info < PYTHON:
        found.append(
            f"Python {PYTHON[0]}.{PYTHON[1]} or newer: this is {sys.version.split()[0]}. "
            "Install one and name it: make PYTHON=python3.13 ..."
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian packs both apart from Python
        import venv  # noqa: F401, PLC0415
    except ImportError:
        found.append("Python's venv module: on Debian and Ubuntu, apt install python3-venv.")
    terraform = shutil.which("terraform")
    wanted = f"{TERRAFORM[0]}.{TERRAFORM[1]}"
    if terraform is None:
        found.append(f"Terraform {wanted} or newer: https://developer.hashicorp.com/terraform/install")
    else:
        answer = subprocess.run([terraform, "version", "-json"], stdout=subprocess.PIPE, check=False)
        version = json.loads(answer.stdout.decode() or "{}").get("terraform_version", "0.0")
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < TERRAFORM:
            found.append(f"Terraform {wanted} or newer: {version} is too old.")
    return found


if __name__ == "__main__":
    lacks = missing()
    for sentence in lacks:
        print("missing: " + sentence, file=sys.stderr)
    sys.exit(1 if lacks else 0)
