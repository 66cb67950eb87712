"""The embedded emulator ends with the one who started it, however that one ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WAIT = "import os, time; print(os.environ['AWS_ENDPOINT_URL'], flush=True); time.sleep(100)"


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_emulator_ends_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    script = str(ROOT / "scripts" / "run_ministack.py")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, script, "--directory", str(tmp_path / "ministack"), "--", sys.executable, "-c", WAIT],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout
        said = re.fullmatch(r"https://127\.0\.0\.1:(\d+)\n", starter.stdout.readline())
        started = said is not None and answers(int(said[1]))
        starter.send_signal(number)
        code = starter.wait(60)
    assert started
    assert said is not None
    assert code == 130
    assert not answers(int(said[1]))
    assert (tmp_path / "ministack" / "ministack.log").stat().st_size > 0
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "ministack" / "tmp").exists()
