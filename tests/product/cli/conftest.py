from __future__ import annotations

import pytest

from darkroom import dead_letters
from tests.product.cli.pipeline import aws, resources, session

__all__ = ["aws", "resources", "session"]


@pytest.fixture(autouse=True)
def _no_long_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll for no time: moto has one server."""
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
