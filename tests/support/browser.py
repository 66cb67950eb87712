"""A headless browser for tests: the machine's own Chromium."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A page that pretends to be a public site's may talk to an emulator on this machine, also to one in a container, whose
# address is not loopback, and which speaks plain HTTP.
ARGUMENTS = ("--disable-features=LocalNetworkAccessChecks", "--allow-running-insecure-content")


def program() -> str | None:
    """Return the path of the browser; None without one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def required() -> bool:
    """Return True if a missing browser is a failure, not a reason to skip."""
    return os.environ.get("DARKROOM_BROWSER") == "required"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser; without one, skip the test, or fail if DARKROOM_BROWSER=required."""
    path = program()
    if path is None:
        give_up = pytest.fail if required() else pytest.skip
        give_up(f"no browser: install Chromium or Google Chrome, so that one of {', '.join(PROGRAMS)} is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
