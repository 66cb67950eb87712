"""An interrupted `make aws-smoke-test` leaves nothing."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.e2e.engines import Capability
from tests.e2e.smoke import finished, left, options, start

pytestmark = pytest.mark.needs(Capability.RAW_KEYS, Capability.SEQUENCERS)


def test_interrupted_smoke_test_leaves_nothing(endpoint: str) -> None:
    process = start(*options())
    assert process.stdout is not None
    seen = ""
    while "Terraform: " not in seen:  # it is making things
        line = process.stdout.readline()
        assert line, seen
        seen += line
    process.send_signal(signal.SIGINT)
    said, folder = finished(process, seen)
    try:
        assert process.returncode == 130, said
        assert "Everything is destroyed" in said
        assert left(folder.name) == []
        assert not (folder / "run.json").exists()
    finally:
        shutil.rmtree(folder)
