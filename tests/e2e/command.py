"""The installed command `darkroom`, against the engine of the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.conftest import NAME


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command, with JSON for output."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("darkroom"), *arguments, "--json"],
        env={**os.environ, "DARKROOM_NAME": NAME},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str, code: int = 0) -> Any:
    """Run the command, assert its exit code, and return the document that it prints."""
    return json.loads(_output(*arguments, code=code))


def run_lines(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """Run the command, assert its exit code, and return the lines that it prints."""
    return [json.loads(line) for line in _output(*arguments, code=code).splitlines()]


def differing(*arguments: str) -> list[dict[str, Any]]:
    """Run a command that ends with 3 if it finds something, and return what it finds."""
    with start(*arguments) as process:
        printed, said = process.communicate(timeout=300)
    assert process.returncode in {0, 3}, said
    return [json.loads(line) for line in printed.splitlines()]


def interrupt(*arguments: str, after: int, by: signal.Signals = signal.SIGINT) -> list[dict[str, Any]]:
    """Run the command, send it a signal after some lines of output, and return all lines."""
    with start(*arguments) as process:
        assert process.stdout is not None
        lines = [_line(process.stdout.fileno()) for _ in range(after)]
        process.send_signal(by)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == (130 if by is signal.SIGINT else -by), said
    return [json.loads(line) for line in [*lines, *rest.splitlines()]]


def _line(descriptor: int) -> str:
    """Read a line, and no byte more: `communicate` cannot read what is in a buffer."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line.decode()


def _output(*arguments: str, code: int) -> str:
    with start(*arguments) as process:
        printed, said = process.communicate(timeout=300)
    assert process.returncode == code, f"darkroom {' '.join(arguments)} ended with {process.returncode}: {said}"
    return printed
