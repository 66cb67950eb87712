"""Run a command against a fresh embedded emulator (MiniStack).

python scripts/run_ministack.py -- terraform -chdir=terraform plan
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from scripts import ROOT
from scripts.engines.ministack import ministack
from scripts.process.entry_point import entry_point
from scripts.process.environment import engine_environment


@entry_point
def main() -> int:
    """Run a command against a fresh emulator."""
    parser = argparse.ArgumentParser(description="Run a command against a fresh embedded emulator (MiniStack).")
    parser.add_argument("--directory", type=Path, default=ROOT / "build" / "emulator", help="for log and state")
    parser.add_argument("--persist", action="store_true", help="keep the emulator's state for the next run")
    parser.add_argument("command", nargs="+", help="the command, after --")
    arguments = parser.parse_args()
    with ministack(arguments.directory, persist=arguments.persist) as emulator:
        return subprocess.run(arguments.command, env=engine_environment(emulator.environment), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
