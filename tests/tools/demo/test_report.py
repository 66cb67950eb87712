from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from darkroom.hops import Hop
from scripts.demo.report import Results, pretty, preview, render, slug, ticks, timeline, write_page
from scripts.demo.terminal import NOTHING
from tests.support.demo_samples import BEGAN, Sample, finish, journey_of
from tests.support.photographs import draw, encode, oriented

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from scripts.demo.journey import Journey

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'name' <img src=x onerror=alert(2)>.jpg"


class Reader(HTMLParser):
    """The page as a browser takes it apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def links(self) -> Iterator[str]:
        for _, attributes in self.tags:
            yield from (value for name, value in attributes.items() if name in ("src", "href") and value)


class Finished(Results):
    """A run that is over, whose derivatives are pictures of their sizes."""

    def __init__(self, *journeys: Journey) -> None:
        self.began: datetime = BEGAN
        self.journeys = list(journeys)

    def download(self, variant: Mapping[str, Any]) -> bytes:
        return encode(draw((variant["width"], variant["height"])))


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encode(draw((1600, 1200))))
    return path


def written(directory: Path, *journeys: Journey) -> tuple[Path, Reader]:
    page = write_page(directory, Finished(*journeys))
    return page, Reader(page.read_text())


def test_report_shows_original_and_derivatives(tmp_path: Path, photograph: Path) -> None:
    sample = Sample()
    page, reader = written(tmp_path / "out", finish(journey_of(sample, photograph), sample))
    shown = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert len(shown) == 3
    for image in shown:
        with Image.open(page.parent / str(image["src"])) as picture:
            assert (str(picture.width), str(picture.height)) == (image["width"], image["height"])
    assert [image["alt"] for image in shown] == ["original", "thumbnail", "web"]


def test_report_needs_no_other_files(tmp_path: Path, photograph: Path) -> None:
    sample = Sample()
    page, reader = written(tmp_path / "out", finish(journey_of(sample, photograph), sample))
    for link in reader.links():
        assert link.startswith("#image-") or (page.parent / link).is_file(), link
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}
    assert "url(" not in page.read_text()
    assert "@import" not in page.read_text()


def test_a_hostile_name_is_only_text(tmp_path: Path, photograph: Path) -> None:
    sample = Sample(HOSTILE)
    journey = finish(journey_of(sample, photograph), sample)
    page, reader = written(tmp_path / "out", journey)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    assert len([tag for tag, _ in reader.tags if tag == "img"]) == 3
    assert HOSTILE in reader.texts
    assert "<script" not in page.read_text()
    assert {path.name for path in (page.parent / "images").iterdir()} == {"001-" + slug(HOSTILE)}


def test_hostile_texts_of_others_are_only_texts(tmp_path: Path, photograph: Path) -> None:
    sample = Sample(status="Rejected")
    journey = finish(journey_of(sample, photograph), sample)
    assert journey.record is not None
    journey.record = {**journey.record, "reason": {"code": "<b>bad</b>", "message": HOSTILE}}
    journey.notification = {**(journey.notification or {}), "Subject": HOSTILE}
    page, reader = written(tmp_path / "out", journey)
    assert "<script" not in page.read_text()
    assert "<b>bad</b>" in reader.texts
    assert any(text.strip() == HOSTILE for text in reader.texts)


def test_record_and_notification_can_be_read_back(finished: Journey, tmp_path: Path) -> None:
    assert finished.notification is not None
    _, reader = written(tmp_path, finished)
    text = "".join(reader.texts)
    for document in (finished.record, finished.notification, json.loads(finished.notification["Message"])):
        assert json.dumps(document, indent=2, ensure_ascii=False) in text


def test_unknown_times_are_dashes(journey: Journey, sample: Sample, tmp_path: Path) -> None:
    _, reader = written(tmp_path, journey)
    assert reader.texts.count(NOTHING) == len(Hop) + 2, "each hop, the total and the median"
    assert "last known hop" not in "".join(reader.texts)
    assert "no known hop" in "".join(reader.texts)
    assert "Not recorded" in reader.texts


def test_undisplayable_file_has_a_placeholder(sample: Sample, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(encode(draw((640, 480)))[:3000])
    _, reader = written(tmp_path / "out", journey_of(sample, broken))
    assert "cannot be shown" in reader.texts
    assert "img" not in {tag for tag, _ in reader.tags}


def test_an_empty_run_is_a_page_too() -> None:
    assert "<h1>" in render([], BEGAN, 0)


def test_images_of_the_last_run_are_removed(sample: Sample, photograph: Path, tmp_path: Path) -> None:
    written(tmp_path, finish(journey_of(sample, photograph), sample))
    other = Sample("other.jpg")
    page, _ = written(tmp_path, finish(journey_of(other, photograph), other))
    assert [path.name for path in (page.parent / "images").iterdir()] == ["001-other-jpg"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_original_is_shown_upright(orientation: int, tmp_path: Path) -> None:
    file = tmp_path / "turned.jpg"
    file.write_bytes(oriented(orientation).data)
    shown = preview(file)
    assert shown is not None
    picture, stored_as = shown
    assert stored_as == orientation
    assert picture.size == (600, 450)
    upright = preview_of(oriented(1).data, tmp_path)
    assert difference(picture, upright) < 20  # a wrong turn is 30 and more; real photographs have their number


def preview_of(data: bytes, folder: Path) -> Image.Image:
    file = folder / "other.jpg"
    file.write_bytes(data)
    shown = preview(file)
    assert shown is not None
    return shown[0]


def difference(one: Image.Image, other: Image.Image) -> float:
    pairs = zip(one.convert("L").tobytes(), other.convert("L").tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (one.width * one.height)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "CMYK", "1", "I;16", "RGBA"])
def test_originals_of_every_mode_can_be_shown(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.tiff"
    source = Image.new("I;16", (40, 30)) if mode == "I;16" else draw((40, 30)).convert(mode)
    source.save(file)
    shown = preview(file)
    assert shown is not None
    assert shown[0].mode in ("RGB", "RGBA")
    shown[0].save(tmp_path / "shown.webp")


def test_originals_are_scaled_down(tmp_path: Path) -> None:
    assert preview_of(encode(draw((3000, 1500))), tmp_path).size == (1280, 640)


@pytest.mark.parametrize("data", [b"", b"text", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"])
def test_other_file_has_no_preview(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    file.write_bytes(data)
    assert preview(file) is None


def test_too_large_image_has_no_preview(tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    Image.new("1", (12_000, 10_001)).save(file)
    with pytest.warns(Image.DecompressionBombWarning):
        assert preview(file) is None


def test_a_timeline_fills_its_span_without_gaps(finished: Journey) -> None:
    segments = timeline(finished)
    assert [segment.hop for segment in segments] == list(Hop)
    end = 0.0
    for segment in segments:
        assert segment.left == pytest.approx(end)
        end = segment.left + segment.width
    assert end == pytest.approx(100)
    processing = next(segment for segment in segments if segment.hop is Hop.STORED)
    assert processing.seconds == pytest.approx(0.6, abs=0.001)
    assert processing.width == pytest.approx(60, abs=0.1)


def test_a_timeline_has_its_place_in_the_run(finished: Journey) -> None:
    segments = timeline(finished, begin=2, span=4)
    assert segments[0].left == pytest.approx(50)
    assert segments[-1].left + segments[-1].width == pytest.approx(75)


def test_a_timeline_bridges_what_is_unknown(finished: Journey) -> None:
    del finished.times[Hop.STORED]
    segments = timeline(finished)
    assert Hop.STORED not in [segment.hop for segment in segments]
    assert sum(segment.width for segment in segments) == pytest.approx(100)


def test_a_timeline_never_runs_backwards(finished: Journey) -> None:
    finished.times[Hop.STORED] = finished.times[Hop.NOTIFIED]
    finished.times[Hop.RECORDED] = finished.times[Hop.UPLOADED]
    segments = timeline(finished)
    assert all(segment.width >= 0 for segment in segments)
    assert [segment.left for segment in segments] == sorted(segment.left for segment in segments)


def test_journey_without_hops_has_an_empty_timeline(journey: Journey) -> None:
    assert timeline(journey) == ()


@pytest.mark.parametrize(
    ("span", "expected"), [(0, []), (1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (3.4, [0, 0.5, 1, 1.5, 2, 2.5, 3])]
)
def test_ticks_are_round_seconds(span: float, expected: list[float]) -> None:
    assert [second for second, _ in ticks(span)] == expected


def test_ticks_are_few_for_any_span() -> None:
    for span in (0.3, 7, 45, 299, 1800):
        places = [place for _, place in ticks(span)]
        assert 2 <= len(places) <= 9
        assert places[-1] <= 100


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dunes at dusk.JPG", "dunes-at-dusk-jpg"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本", "image"),
        ("x" * 99, "x" * 40),
    ],
)
def test_slugs_are_safe(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_pretty_json_is_escaped_and_complete() -> None:
    document = {"a<b": "</pre><script>", "n": -1.5, "t": True, "nothing": None, "quote": 'a "b" \\'}
    html = pretty(document)
    assert "<script" not in html
    assert "".join(Reader(f"<pre>{html}</pre>").texts) == json.dumps(document, indent=2)
    assert '<i class="key">' in html
