"""The deployed try page in a browser, with real photographs and with broken files."""

from __future__ import annotations

import json
import random
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect

from scripts.generated.try_page import PAGE
from tests.e2e.conftest import ORIGINS, VARIANTS
from tests.e2e.engines import Capability, Tool
from tests.e2e.serve import base_url, caller
from tests.support.browser import chromium
from tests.support.photographs import draw, encode, from_cameras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, FilePayload, Locator, Page, Route

    from tests.e2e.pipeline import Pipeline
    from tests.e2e.serve import Caller

pytestmark = pytest.mark.needs(Capability.API_SERVICE_INTEGRATIONS, Tool.BROWSER)

PATIENCE_MS = 60_000


def site(pipeline: Pipeline) -> str:
    """Return the address of the try page, without its name."""
    return base_url(pipeline.outputs["api"]["url"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def carol(pipeline: Pipeline) -> Caller:
    """Return a caller that only these tests use, so that nothing else is in her list."""
    return caller(pipeline, "carol")


@pytest.fixture
def visit(browser: Browser, pipeline: Pipeline) -> Iterator[Callable[..., Page]]:
    """Open the page with a key, in a browser with certain properties; no script of it may throw."""
    contexts, thrown = [], []

    def visit(key: str | None, url: str | None = None, **properties: object) -> Page:
        context = browser.new_context(**properties)  # type: ignore[arg-type] # as Playwright has them
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(error))  # noqa: PLW0108 - Playwright marks the handler
        if url:
            context.route(f"{url}/*", lambda route: elsewhere(route, pipeline))
        page.goto(f"{url or base_url(pipeline.outputs['api']['url'])}/index.html#key={key}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert thrown == []


def elsewhere(route: Route, pipeline: Pipeline) -> None:
    """Serve the page from another site, whose config.json names API and bucket."""
    if urlsplit(route.request.url).path == "/config.json":
        form = caller(pipeline, "carol").call(
            "POST", "/uploads", b'{"content_type": "image/png"}', Content_Type="application/json"
        )
        route.fulfill(json={"api": site(pipeline), "origins": [form.json["url"]]})
    else:
        route.fulfill(body=PAGE.read_text(), content_type="text/html; charset=utf-8")


def upload(page: Page, *files: FilePayload) -> None:
    chooser = page.get_by_label("Choose images")
    expect(chooser).to_be_visible(timeout=PATIENCE_MS)  # before that, nothing handles the event
    chooser.set_input_files(list(files))


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def frame(page: Page, name: str, state: str) -> Locator:
    """Return the frame of an image as soon as it has a state."""
    found = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))
    expect(found).to_have_attribute("data-state", state, timeout=PATIENCE_MS)
    return found


def test_try_page_is_served_unchanged(pipeline: Pipeline) -> None:
    with urllib.request.urlopen(f"{base_url(pipeline.outputs['api']['url'])}/index.html", timeout=60) as answer:  # noqa: S310
        assert answer.read() == PAGE.read_bytes()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    with urllib.request.urlopen(f"{base_url(pipeline.outputs['api']['url'])}/config.json", timeout=60) as answer:  # noqa: S310
        config = json.load(answer)
    assert config["credentials"] == ["key"]
    assert config["max_bytes"] == 25 * 1024 * 1024


def test_photographs_are_processed_and_shown(visit: Callable[..., Page], carol: Caller) -> None:
    photographs = from_cameras()[:6]
    page = visit(carol.key)
    upload(page, *(file(photograph.name, photograph.data) for photograph in photographs))
    for photograph in photographs:
        shown = frame(page, photograph.name, "processed")
        expect(shown.locator(".variants button")).to_have_count(len(VARIANTS) + 1)
        shown.scroll_into_view_if_needed()
        expect(shown.get_by_role("img", name=photograph.name)).not_to_have_js_property("naturalWidth", 0)

    page.reload()
    for photograph in photographs:
        frame(page, photograph.name, "processed")

    shown.get_by_role("button", name="View").click()
    viewer = page.get_by_role("dialog")
    for name in (str(variant["name"]) for variant in VARIANTS):
        viewer.get_by_role("button", name=name).click()
        expect(viewer.get_by_role("img", name=f"variant {name}")).not_to_have_js_property("naturalWidth", 0)


def test_torn_file_is_rejected_and_image_deleted(visit: Callable[..., Page], carol: Caller) -> None:
    page = visit(carol.key)
    whole = encode(draw((1200, 900)))
    upload(page, file("torn.jpg", whole[: len(whole) // 2]), file("whole.jpg", whole))
    expect(frame(page, "torn.jpg", "rejected")).to_contain_text("damaged or incomplete")

    unwanted = frame(page, "whole.jpg", "processed")
    listed = {image["id"] for image in carol.get("images").json["images"]}
    unwanted.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    frame(page, "whole.jpg", "deleted")
    (gone,) = listed - {image["id"] for image in carol.get("images").json["images"]}
    assert carol.get("images", gone).json["status"] == "Deleted"
    page.reload()
    frame(page, "torn.jpg", "rejected")
    expect(page.get_by_role("heading", name="whole.jpg")).to_have_count(0)


def test_try_page_works_by_keyboard_on_a_phone(visit: Callable[..., Page], carol: Caller) -> None:
    page = visit(carol.key, viewport={"width": 360, "height": 780})
    page.on("filechooser", lambda _: None)  # so that the browser hands choosers over from the start
    expect(page.get_by_label("Choose images")).to_be_visible(timeout=PATIENCE_MS)  # before that, it takes no focus
    page.get_by_label("Choose images").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([file("by keyboard.jpg", encode(draw((900, 600))))])
    shown = frame(page, "by keyboard.jpg", "processed")
    expect(shown.get_by_role("img", name="by keyboard.jpg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    shown.get_by_role("button", name="Delete").focus()
    for key in ("Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    frame(page, "by keyboard.jpg", "deleted")


def test_wrong_key_is_refused(visit: Callable[..., Page]) -> None:
    page = visit("wrong")
    expect(page.get_by_text("The API does not accept this API key.")).to_be_visible()
    expect(page.get_by_label("Choose images")).to_be_hidden()


def test_other_origin_uploads_large_file_to_bucket(visit: Callable[..., Page], carol: Caller) -> None:
    size = (2100, 1700)
    noise = Image.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3))
    large = encode(noise, "PNG")
    assert len(large) > 10_000_000
    page = visit(carol.key, ORIGINS[0])
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 204):
        upload(page, {"name": "noise.png", "mimeType": "image/png", "buffer": large})
    expect(frame(page, "noise.png", "processed")).to_contain_text("PNG · 10.7 MB")
