from __future__ import annotations

import os
from pathlib import Path

import pytest

from process_image.image import Limits


@pytest.fixture
def limits() -> Limits:
    return Limits(max_bytes=25_000_000, max_pixels=25_000_000)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Provide the folder of test images that are not part of the project."""
    folder = os.environ.get("DARKROOM_CORPUS")
    if not folder:
        pytest.skip("DARKROOM_CORPUS names no folder of test images")
    return Path(folder)
