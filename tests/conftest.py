"""The environment of all tests: without settings of the user that are for something else."""

from __future__ import annotations

import os

from scripts.process.environment import prepare

# Terraform's and AWS's settings stay out where tools set theirs. GIT_DIR, as a git hook has it, would make the tests'
# own repositories the user's.
for name in list(os.environ):
    if name.startswith("GIT_") or name in ("CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR"):
        del os.environ[name]
prepare()
