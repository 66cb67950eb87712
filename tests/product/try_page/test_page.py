"""The page in a browser, against an API that pretends: what it shows, sends, and never does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from scripts import ROOT
from scripts.generated.try_page import PAGE, seal
from tests.product.try_page.pretence import KEY, PICTURES, SITE, VARIANTS, Pretence, picture_file, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import FilePayload, Locator, Page

SOURCE = PAGE.read_text()
CONTRACT = json.loads((ROOT / "terraform" / "api" / "openapi.json").read_text())
PHONE = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}


def upload(page: Page, *files: FilePayload | Path) -> None:
    chooser = page.get_by_label("Choose images")
    expect(chooser).to_be_visible()  # otherwise the page has no handlers yet
    chooser.set_input_files(list(files or [picture_file()]))  # type: ignore[arg-type] # either or


def frame(page: Page, name: str = "dunes.jpg") -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))


def expect_state(page: Page, state: str, name: str = "dunes.jpg") -> Locator:
    expect(frame(page, name)).to_have_attribute("data-state", state, timeout=15_000)
    return frame(page, name)


# The file


def test_policy_has_the_hashes_of_style_and_script() -> None:
    assert seal(SOURCE) == SOURCE, "run `make docs`"


def test_page_is_one_file_and_makes_no_markup_of_data() -> None:
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", SOURCE)
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|localStorage|style=", SOURCE
    )


def test_page_knows_the_apis_types() -> None:
    taken = set(CONTRACT["paths"]["/images"]["post"]["requestBody"]["content"])
    assert set(re.findall(r'"((?:image|application)/(?!json)[a-z-]+)"', SOURCE.partition("<script")[2])) == taken


def test_page_connects_only_to_api_and_bucket(page: Page) -> None:
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.evaluate("window.blocked = []; addEventListener('securitypolicyviolation', e => blocked.push(e.blockedURI))")
    page.evaluate("fetch('https://elsewhere.example.com/').catch(() => {})")
    assert page.evaluate("blocked") == ["https://elsewhere.example.com/"]


# The way of an image


def test_an_upload_goes_through(page: Page, api: Pretence) -> None:
    api.prompt = False
    upload(page, picture_file("Dünen, ½.jpg"))
    stored = expect_state(page, "stored", "Dünen, ½.jpg")
    expect(stored.get_by_text("Processing")).to_have_attribute("aria-current", "step")
    expect(stored.get_by_role("button", name="View")).to_be_disabled()
    (call,) = api.called("POST /images")
    assert call.headers["x-image-name"] == "Dunen, 12.jpg"  # as far as a header can hold it
    assert call.headers["content-type"] == "image/jpeg"
    assert call.headers["x-api-key"] == KEY
    assert call.body == picture_file()["buffer"]

    api.processed(next(iter(api.records)))
    done = expect_state(page, "processed", "Dünen, ½.jpg")
    for name, (width, height) in VARIANTS.items():
        expect(done.get_by_role("button", name=name)).to_contain_text(f"{width} \N{MULTIPLICATION SIGN} {height} JPEG")
    expect(done.get_by_role("img", name="Dünen, ½.jpg")).to_have_js_property("naturalWidth", VARIANTS["web"][0])
    announced = page.get_by_role("log").inner_text()
    assert "Dünen, ½.jpg: stored" in announced
    assert "Dünen, ½.jpg: 2 variants" in announced


def test_a_rejection_says_why(page: Page, api: Pretence) -> None:
    api.prompt = False
    upload(page, {"name": "torn", "mimeType": "", "buffer": b"torn"})
    expect_state(page, "stored", "torn")
    assert api.called("POST /images")[0].headers["content-type"] == "application/octet-stream"
    identity = next(iter(api.records))
    api.records[identity] = record(identity, "Rejected")
    expect(expect_state(page, "rejected", "torn")).to_contain_text("The file is torn.")
    assert "torn: rejected. The file is torn." in page.get_by_role("log").inner_text()


def test_other_format_gets_advice(page: Page, api: Pretence) -> None:
    api.prompt = False
    upload(page, {"name": "scan.tif", "mimeType": "image/tiff", "buffer": b"II*\0"})
    stored = expect_state(page, "stored", "scan.tif")
    expect(stored.get_by_text("No preview")).to_be_visible()
    assert api.called("POST /images")[0].headers["content-type"] == "image/tiff"
    identity = next(iter(api.records))
    reason = {"code": "unsupported_format", "message": "the format TIFF is not supported"}
    api.records[identity] = {**record(identity, "Rejected"), "reason": reason}
    expect(expect_state(page, "rejected", "scan.tif")).to_contain_text(
        "The format TIFF is not supported. Save it as JPEG, PNG, WebP, GIF or AVIF, and upload that."
    )


def test_a_click_in_the_question_does_not_answer_it(page: Page) -> None:
    upload(page)
    expect_state(page, "processed").get_by_role("button", name="Delete dunes.jpg").click()
    question = page.get_by_role("dialog")
    question.click(position={"x": 9, "y": 80})  # next to the text, in the dialog
    expect(question).to_be_visible()
    page.mouse.click(2, 2)
    expect(question).to_be_hidden()


def test_image_deleted_elsewhere_is_shown_as_deleted(page: Page, api: Pretence) -> None:
    upload(page)
    shown = expect_state(page, "processed")
    identity = next(iter(api.records))
    api.records[identity] = record(identity, "Deleted")
    api.answer("DELETE", (404, "not_found"))
    shown.get_by_role("button", name="Delete dunes.jpg").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect_state(page, "deleted")


def test_no_picture_is_kept_that_is_not_shown(page: Page, api: Pretence) -> None:
    """An object URL keeps its bytes until it is revoked."""
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.evaluate("""() => {
        const { createObjectURL, revokeObjectURL } = URL;
        window.kept = new Set();
        URL.createObjectURL = (blob) => {
            const url = createObjectURL.call(URL, blob);
            kept.add(url);
            return url;
        };
        URL.revokeObjectURL = (url) => {
            kept.delete(url);
            revokeObjectURL.call(URL, url);
        };
    }""")
    upload(page, picture_file(), picture_file("second.jpg"))
    for name in ("dunes.jpg", "second.jpg"):
        expect(expect_state(page, "processed", name).get_by_role("img", name=name)).to_be_visible()
    page.wait_for_function("kept.size === 2")  # a preview each, and no longer the file itself

    expect_state(page, "processed").get_by_role("button", name="thumbnail").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("img")).to_have_js_property("naturalWidth", VARIANTS["thumbnail"][0])
    viewer.get_by_role("button", name="Close").click()
    page.wait_for_function("kept.size === 3")

    frame(page).get_by_role("button", name="Delete dunes.jpg").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect_state(page, "deleted")
    page.wait_for_function("kept.size === 1")

    api.prompt = False
    upload(page, {"name": "scan.tif", "mimeType": "image/tiff", "buffer": b"II*\0"})
    expect(expect_state(page, "stored", "scan.tif").get_by_text("No preview")).to_be_visible()
    page.wait_for_function("kept.size === 1")

    page.get_by_role("button", name="Use another").click()
    page.wait_for_function("kept.size === 0")


def test_an_image_is_deleted_when_that_is_meant(page: Page, api: Pretence) -> None:
    upload(page)
    shown = expect_state(page, "processed")
    shown.get_by_role("button", name="Delete dunes.jpg").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert api.called("DELETE") == []
    shown.get_by_role("button", name="Delete dunes.jpg").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    gone = expect_state(page, "deleted")
    expect(gone).to_contain_text("all its variants are deleted")
    expect(gone.get_by_role("button", name="Delete")).to_be_hidden()
    expect(gone.get_by_role("heading")).to_be_focused()
    page.reload()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a file that is too large for the API but not for the bucket."""
    path = tmp_path / "dunes.jpg"
    path.write_bytes(PICTURES["web"].ljust(10_000_001, b"\0"))
    return path


def test_a_large_file_goes_straight_to_the_bucket(page: Page, api: Pretence, large: Path) -> None:
    upload(page, large)
    expect_state(page, "processed")
    assert api.called("POST /images") == []
    (wanted,), (sent,) = api.called("POST /uploads"), api.called("POST /owner")
    assert json.loads(wanted.body) == {"content_type": "image/jpeg", "name": "dunes.jpg"}
    fields = re.findall(rb'name="(\w+)"', sent.body)
    assert fields == [b"key", b"policy", b"file"]
    assert not {"x-api-key", "authorization"} & set(sent.headers)


def test_missing_result_is_reported_and_retried(page: Page, api: Pretence) -> None:
    api.prompt = False
    page.clock.install()
    upload(page)
    expect_state(page, "stored")
    for _ in range(50):
        page.clock.run_for(5_000)
    failed = expect_state(page, "failed")
    expect(failed).to_contain_text("This image has no result yet. Check again later.")
    page.clock.resume()
    api.processed(next(iter(api.records)))
    failed.get_by_role("button", name="Try again").click()
    expect_state(page, "processed")


def test_several_ways_in(page: Page) -> None:
    transfer = page.evaluate_handle(
        """names => {
            const transfer = new DataTransfer();
            for (const name of names) transfer.items.add(new File(["x"], name, { type: "image/png" }));
            return transfer;
        }""",
        ["dropped.png", "<img src=x onerror=alert(1)>.png"],
    )
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(page.locator("body")).to_have_class("dragged")
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect_state(page, "processed", "dropped.png")
    expect_state(page, "processed", "<img src=x onerror=alert(1)>.png")
    paste = "transfer => dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer }))"
    page.evaluate(paste, transfer)
    expect(frame(page, "dropped.png")).to_have_count(2)


# The list


def test_a_reload_shows_what_there_is(page: Page, api: Pretence) -> None:
    upload(page)
    expect_state(page, "processed")
    other = next(iter(api.records)).replace("-4", "-5")
    api.records[other] = record(other, "Rejected")
    page.reload()
    expect_state(page, "processed").get_by_role("img", name="dunes.jpg").wait_for()
    expect(page.locator("[data-state=rejected]").get_by_role("heading")).to_contain_text("Image of")
    assert page.get_by_role("log").inner_text() == ""  # nothing has happened


def test_older_images_come_when_asked_for(visit: Callable[..., Page], api: Pretence) -> None:
    api.records = {f"{number:08d}": record(f"{number:08d}") for number in range(45)}
    page = visit()
    expect(page.locator(".frame")).to_have_count(20)
    for count in (40, 45):
        page.get_by_role("button", name="Show older").click()
        expect(page.locator(".frame")).to_have_count(count)
    expect(page.get_by_role("button", name="Show older")).to_be_hidden()
    assert len(api.called("GET /images/")) < 45  # pictures only of what is in sight


# Who calls


def test_a_wrong_key_is_said_and_a_right_one_gets_in(visit: Callable[..., Page], api: Pretence) -> None:
    page = visit("#key=wrong")
    expect(page.get_by_text("The API does not accept this API key.")).to_be_visible()
    expect(page.get_by_label("API key")).to_be_focused()
    expect(page.get_by_label("Choose images")).to_be_hidden()
    page.get_by_label("API key").fill(f" {KEY} ")
    page.keyboard.press("Enter")
    expect(page.get_by_text("API key …good")).to_be_visible()
    page.get_by_role("button", name="Use another").click()
    expect(page.get_by_label("API key")).to_have_value("")
    page.reload()
    expect(page.get_by_label("API key")).to_be_focused()


def test_no_key_is_asked_for(visit: Callable[..., Page], api: Pretence) -> None:
    page = visit("")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Give the API key.")).to_be_visible()
    assert api.calls == []


def test_a_key_in_the_address_does_not_stay_there(visit: Callable[..., Page]) -> None:
    page = visit()
    expect(page.get_by_text("API key …good")).to_be_visible()
    assert page.url == f"{SITE}/index.html"
    assert page.evaluate("history.length") <= 2
    assert page.evaluate("Object.keys(localStorage)") == []
    page.reload()  # the tab knows it
    expect(page.get_by_text("API key …good")).to_be_visible()


def test_another_key_shows_other_images(page: Page, api: Pretence) -> None:
    upload(page)
    expect_state(page, "processed")
    api.records.clear()
    page.evaluate(f"location.hash = 'key={KEY}'")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    assert page.url == f"{SITE}/index.html"


def test_token_is_sent_as_bearer(visit: Callable[..., Page], api: Pretence) -> None:
    api.config["credentials"] = ["token"]
    page = visit("")
    page.get_by_label("Bearer token").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    (call,) = api.calls
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in call.headers


# Errors


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (picture_file(size=1_000_001), "This file has 1.0 MB; the limit is 1.0 MB."),
        ({"name": "dunes.jpg", "mimeType": "image/jpeg", "buffer": b""}, "This file is empty."),
    ],
)
def test_invalid_file_is_not_sent(visit: Callable[..., Page], api: Pretence, file: FilePayload, words: str) -> None:
    api.config["max_bytes"] = 1_000_000
    page = visit()
    upload(page, file)
    expect(expect_state(page, "failed")).to_contain_text(words)
    assert api.called("POST") == []


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (413, "too_large", "This file is too large for the API: the limit is 20.0 MB."),
        (415, "unsupported_media_type", "The API does not accept files of this type."),
        (429, "quota_exceeded", "The quota of this key is exceeded."),
        (500, "internal_error", "An error occurred in the API."),
    ],
)
def test_failed_upload_can_be_retried(page: Page, api: Pretence, status: int, code: str, words: str) -> None:
    api.answer("POST /images", (status, code))
    upload(page)
    failed = expect_state(page, "failed")
    expect(failed).to_contain_text(words)
    assert len(api.called("POST /images")) == 1
    failed.get_by_role("button", name="Try again: dunes.jpg").click()
    expect_state(page, "processed")


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "it may be too large"), (403, "The form for the upload has expired."), (503, "The upload failed.")],
)
def test_the_bucket_may_refuse(page: Page, api: Pretence, large: Path, status: int, words: str) -> None:
    api.answer("POST /owner", (status, "as S3 says it"))
    upload(page, large)
    failed = expect_state(page, "failed")
    expect(failed).to_contain_text(words)
    expect(failed.get_by_role("button", name="Delete")).to_be_hidden()


@pytest.mark.parametrize(("status", "code"), [(429, "throttled"), (503, "unavailable")])
def test_a_throttled_page_waits_and_goes_on(page: Page, api: Pretence, status: int, code: str) -> None:
    api.answer("POST /images", (status, code), (status, code))
    upload(page)
    expect(page.get_by_text("The API is busy.")).to_be_visible()
    expect_state(page, "processed")
    expect(page.get_by_text("The API is busy.")).to_be_hidden()
    assert len(api.called("POST /images")) == 3


def test_offline_uploads_wait(page: Page, api: Pretence) -> None:
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    upload(page)
    expect_state(page, "uploading")
    assert api.called("POST") == []
    page.context.set_offline(False)
    expect_state(page, "processed")
    expect(page.get_by_text("You are offline.")).to_be_hidden()


def test_an_api_out_of_reach_is_said(visit: Callable[..., Page], api: Pretence) -> None:
    api.config["api"] = "https://api.invalid/v1"
    page = visit()
    expect(page.get_by_role("alert").first).to_contain_text(f"may not admit pages from {SITE}")


def test_a_missing_configuration_is_said(visit: Callable[..., Page], api: Pretence) -> None:
    api.config = {}
    page = visit()
    expect(page.get_by_role("alert").first).to_contain_text("config.json next to this page cannot be read")
    api.config = Pretence().config
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


# For everybody


def test_page_works_by_keyboard(visit: Callable[..., Page], api: Pretence) -> None:
    page = visit("")
    page.on("filechooser", lambda _: None)  # so that the browser hands choosers over from the start
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Choose images")).to_be_focused()
    assert page.locator("label.button").evaluate("label => getComputedStyle(label).outlineStyle") == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([picture_file()])
    shown = expect_state(page, "processed")

    tab_to(page, shown.get_by_role("button", name="View dunes.jpg"))
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("img", name="dunes.jpg, variant web")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("button", name="thumbnail")).to_be_focused()
    expect(viewer.get_by_role("button", name="thumbnail")).to_have_attribute("aria-pressed", "true")
    expect(viewer.get_by_role("img", name="dunes.jpg, variant thumbnail")).to_be_visible()
    tab_to(page, viewer.get_by_role("link", name="Download"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "dunes-thumbnail.jpg"
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(shown.get_by_role("button", name="View dunes.jpg")).to_be_focused()

    tab_to(page, shown.get_by_role("button", name="Delete dunes.jpg"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("dialog").get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    expect_state(page, "deleted")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus, which every stop on the way shows."""
    for _ in range(30):
        page.keyboard.press("Tab")
        ring = page.locator(":focus").evaluate("one => getComputedStyle(one.closest('label') ?? one).outlineStyle")
        assert ring == "solid"
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail("the focus never gets there")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Page], api: Pretence, scheme: str) -> None:
    page = visit("#key=wrong", color_scheme=scheme, reduced_motion="reduce")
    expect(page.get_by_text("The API does not accept")).to_be_visible()
    look_for_barriers(page)
    page.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    api.answer("POST /images", (500, "internal_error"))
    upload(page, picture_file("failed.jpg"))
    expect_state(page, "failed", "failed.jpg")
    upload(page, picture_file("first.jpg"))
    expect_state(page, "processed", "first.jpg")
    api.prompt = False
    upload(page, picture_file("second.jpg"))
    expect_state(page, "stored", "second.jpg")
    look_for_barriers(page)
    frame(page, "first.jpg").get_by_role("button", name="View").click()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    look_for_barriers(page)
    page.keyboard.press("Escape")
    frame(page, "first.jpg").get_by_role("button", name="Delete").click()
    look_for_barriers(page)


def look_for_barriers(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [320, 360])
def test_a_phone_needs_no_scrolling_sideways(visit: Callable[..., Page], api: Pretence, width: int) -> None:
    page = visit("", **{**PHONE, "viewport": {"width": width, "height": 780}})
    assert_fits(page, width)
    page.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Add images or take one")).to_be_visible()
    long = "a-name-without-any-place-to-break-it-" * 4 + ".jpg"
    upload(page, picture_file(long))
    shown = expect_state(page, "processed", long)
    assert_fits(page, width)
    shown.get_by_role("button", name="View").click()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    assert_fits(page, width)
    page.get_by_role("button", name="Close").click()
    shown.get_by_role("button", name="Delete").click()
    assert_fits(page, width)


def assert_fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == width
    beyond = page.evaluate(
        """width => [...document.querySelectorAll("body *")].filter(one => {
            const { left, right, width: own } = one.getBoundingClientRect();
            return own > 1 && one.checkVisibility() && (left < -1 || right > width + 1);
        }).map(one => one.outerHTML.slice(0, 80))""",
        width,
    )
    assert beyond == []


def test_reduced_motion_is_respected(visit: Callable[..., Page], api: Pretence) -> None:
    page = visit(reduced_motion="reduce")
    api.prompt = False
    upload(page)
    expect_state(page, "stored")
    assert page.evaluate("document.getAnimations().length") == 0
