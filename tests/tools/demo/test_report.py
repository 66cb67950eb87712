from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from darkroom.hops import Hop
from scripts.demo.journey import NOTHING
from scripts.demo.report import preview_of, timeline, write_report
from tests.support.demo_samples import BEGAN, Sample, finish, journey_of
from tests.support.photographs import draw, encode, oriented

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.demo.journey import Journey

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'name' <img src=x onerror=alert(2)>.jpg"


class Reader(HTMLParser):
    """The report as a browser takes it apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def images(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == "img"]


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encode(draw((1600, 1200))))
    return path


def write(directory: Path, *journeys: Journey) -> Path:
    """Write the report of a run that is over, whose derivatives are pictures of their sizes."""
    return write_report(directory, BEGAN, journeys, lambda variant: encode(draw((variant["width"], variant["height"]))))


def read(directory: Path, *journeys: Journey) -> Reader:
    return Reader(write(directory, *journeys).read_text())


def test_report_shows_original_and_derivatives(tmp_path: Path, photograph: Path) -> None:
    sample = Sample()
    reader = read(tmp_path / "out", finish(journey_of(sample, photograph), sample))
    sizes = []
    for image in reader.images():
        with Image.open(tmp_path / "out" / str(image["src"])) as picture:
            sizes.append((image["alt"], picture.size))
    assert sizes == [("original", (1280, 960)), ("thumbnail", (256, 192)), ("web", (1024, 768))]


def test_report_needs_no_other_files(tmp_path: Path, photograph: Path) -> None:
    sample = Sample()
    reader = read(tmp_path / "out", finish(journey_of(sample, photograph), sample))
    for _, attributes in reader.tags:
        for link in (value for name, value in attributes.items() if name in ("src", "href") and value):
            assert link.startswith("#image-") or (tmp_path / "out" / link).is_file(), link
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}
    html = (tmp_path / "out" / "index.html").read_text()
    assert "url(" not in html
    assert "@import" not in html


def test_hostile_texts_are_only_texts(tmp_path: Path, photograph: Path) -> None:
    sample = Sample(HOSTILE, status="Rejected")
    journey = finish(journey_of(sample, photograph), sample)
    assert journey.record is not None
    journey.record = {**journey.record, "reason": {"code": "<b>bad</b>", "message": HOSTILE}}
    reader = read(tmp_path / "out", journey)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    assert len(reader.images()) == 1
    assert HOSTILE in reader.texts
    assert f"<b>bad</b>: {HOSTILE}" in reader.texts
    assert [path.name for path in (tmp_path / "out" / "images").iterdir()] == ["001-original.webp"]


def test_record_and_notification_can_be_read_back(finished: Journey, tmp_path: Path) -> None:
    assert finished.notification is not None
    reader = read(tmp_path, finished)
    for document in (finished.record, finished.notification, json.loads(finished.notification["Message"])):
        assert json.dumps(document, indent=2, ensure_ascii=False) in reader.texts


def test_unknown_times_are_dashes(journey: Journey, tmp_path: Path) -> None:
    reader = read(tmp_path, journey)
    assert reader.texts.count(NOTHING) == len(Hop) + 2, "each hop, the total and the median"
    assert "no known hop" in reader.texts
    assert "Not recorded" in reader.texts


def test_images_of_the_last_run_are_removed(photograph: Path, tmp_path: Path) -> None:
    journeys = [finish(journey_of(one, photograph), one) for one in (Sample(), Sample("other.jpg"))]
    write(tmp_path, *journeys)
    write(tmp_path, journeys[0])
    assert {path.name[:3] for path in (tmp_path / "images").iterdir()} == {"001"}


def test_the_original_is_shown_upright(tmp_path: Path) -> None:
    file = tmp_path / "turned.jpg"
    file.write_bytes(oriented(6).data)
    data = preview_of(file)
    assert data is not None
    file.write_bytes(data)
    with Image.open(file) as picture:
        assert picture.size == (600, 450)


@pytest.mark.parametrize("data", [b"", b"text", encode(draw((640, 480)))[:3000]], ids=["empty", "text", "torn"])
def test_undisplayable_file_has_a_placeholder(data: bytes, sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "broken.jpg"
    file.write_bytes(data)
    reader = read(tmp_path / "out", journey_of(sample, file))
    assert "cannot be shown" in reader.texts
    assert not reader.images()


def test_a_timeline_fills_its_part_without_gaps(finished: Journey) -> None:
    del finished.times[Hop.ROUTED]
    segments = timeline(finished, span=2)
    assert [segment.hop for segment in segments] == [hop for hop in Hop if hop is not Hop.ROUTED]
    end = 0.0
    for segment in segments:
        assert segment.left == pytest.approx(end)
        end = segment.left + segment.width
    assert end == pytest.approx(50)


def test_a_timeline_never_runs_backwards(finished: Journey) -> None:
    finished.times[Hop.STORED] = finished.times[Hop.NOTIFIED]
    finished.times[Hop.RECORDED] = finished.times[Hop.UPLOADED]
    segments = timeline(finished, span=1)
    assert all(segment.width >= 0 for segment in segments)
    assert [segment.left for segment in segments] == sorted(segment.left for segment in segments)
