from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.product.try_page.pretence import KEY, SITE, Pretence
from tests.support.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def api() -> Pretence:
    return Pretence()


@pytest.fixture
def visit(browser: Browser, api: Pretence) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens the page as a new visitor, in a browser with given properties. No error may occur."""
    contexts, thrown = [], []

    def visit(fragment: str = f"#key={KEY}", **properties: object) -> Page:
        context = browser.new_context(**properties)  # type: ignore[arg-type] # as Playwright has them
        context.set_default_timeout(15_000)
        contexts.append(context)
        api.install(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(error))  # noqa: PLW0108 - Playwright marks the handler
        page.goto(f"{SITE}/index.html{fragment}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert thrown == []


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    """Return the page of a visitor with a key."""
    return visit()
