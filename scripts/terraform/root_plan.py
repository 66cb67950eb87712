"""The root's plan, made once for all that look at it, against an embedded emulator.

It is cached in `build/plan/` under the hash of its inputs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts import ROOT
from scripts.engines.ministack import ministack
from scripts.process.environment import environment
from scripts.terraform.stack import Stack, emulator_variables

FOLDER = ROOT / "build" / "plan"

# The variables of a careful owner: with resources of the account, the try page, a scheduled comparison that repairs,
# and a topic for alarms.
VARIABLES = {
    "api": {
        "authorization": {
            "type": "COGNITO_USER_POOLS",
            "user_pool_arns": ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_0"],
        },
        "try_page": True,
        "logs": True,
        "web_acl": {"arn": "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/account/0"},
    },
    "access_log": {"bucket": "access-logs"},
    "processed": {"events": True},
    "reconcile": {"repair": True},
    "notifications": {"me": {"protocol": "email", "endpoint": "me@example.com"}},
}


def root_plan() -> Path:
    """Return the file with the root's plan in Terraform's JSON form.

    Raises:
        ToolError: The emulator is not installed or does not start.
        TerraformError: Terraform is missing or has failed; the functions may not be packaged.
    """
    variables = {**emulator_variables("darkroom"), **VARIABLES}
    file = FOLDER / f"{_digest(variables)}.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # checks run side by side: the second waits for the first one's plan
        if not file.exists():
            for former in FOLDER.glob("*.json*"):
                former.unlink()
            # Whole or not at all, however this ends.
            unfinished = file.with_suffix(".json.part")
            unfinished.write_text(json.dumps(_plan(variables)))
            unfinished.rename(file)
    return file


def _plan(variables: dict[str, Any]) -> dict[str, Any]:
    with TemporaryDirectory() as folder, ministack(Path(folder)) as emulator, environment(emulator.environment):
        stack = Stack(Path(folder), {}, variables)
        stack.init()
        # The key alone is made: what it encrypts shows in a plan only once its ARN is known.
        stack.apply("-target=module.key")
        return stack.plan()


def _digest(variables: dict[str, Any]) -> str:
    """Return the hash of a plan's inputs: configuration, contracts, artifacts, variables and this code."""
    files = [
        *sorted((ROOT / "events").rglob("*.json")),
        *sorted(path for path in (ROOT / "terraform").rglob("*") if not _left_behind(path)),
        (ROOT / "terraform" / variables["artifacts"]).resolve(),
        Path(__file__),
        ROOT / "scripts" / "terraform" / "stack.py",
        ROOT / "requirements" / "ministack.txt",
    ]
    digest = hashlib.sha256(json.dumps(variables, sort_keys=True).encode())
    for file in files:
        if file.is_file():
            digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _left_behind(path: Path) -> bool:
    """Return True for files that Terraform writes into its folder, and for a user's own files."""
    return ".terraform" in path.parts or bool({".tfstate", ".tfvars"} & set(path.suffixes)) or path.name == "backend.tf"
