"""Report what is missing on a machine: Python, Terraform. Runs before anything is installed, on any Python 3."""

import json
import os
import re
import shutil
import subprocess
import sys

PYTHON = (3, 11)
TERRAFORM = (1, 11)


def missing() -> "list[str]":
    """Return a sentence for each thing that is missing."""
    found = []
    if sys.version_info < PYTHON:
        found.append(
            f"Python {sys.version.split()[0]} is too old: install {PYTHON[0]}.{PYTHON[1]} or newer and name it: "
            "make PYTHON=python3.13 ..."
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian packs both apart from Python
        import venv  # noqa: F401, PLC0415
    except ImportError:
        found.append("Python's venv module is missing: on Debian and Ubuntu, apt install python3-venv.")
    problem = terraform_problem()
    return found + ([problem] if problem else [])


def terraform_problem() -> "str | None":
    """Return what is wrong with this machine's Terraform and what to install, None if nothing is."""
    wanted = ".".join(map(str, TERRAFORM))
    terraform = shutil.which("terraform")
    if terraform is None:
        return (
            f"terraform is not on the PATH: install Terraform {wanted} or newer "
            "(https://developer.hashicorp.com/terraform/install)."
        )
    # Without arguments and log levels that are for other commands, and without a request for newer versions.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment["CHECKPOINT_DISABLE"] = "1"
    answer = subprocess.run([terraform, "version", "-json"], env=environment, capture_output=True, check=False)
    if answer.returncode:
        return f"`terraform version` failed: {answer.stderr.decode(errors='replace').strip()}"
    version = json.loads(answer.stdout.decode())["terraform_version"]
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < TERRAFORM:
        return f"Terraform {version} is too old: install {wanted} or newer."
    return None


if __name__ == "__main__":
    problems = missing()
    for sentence in problems:
        print("error: " + sentence, file=sys.stderr)
    sys.exit(1 if problems else 0)
