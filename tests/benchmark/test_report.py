"""What becomes of measurements: ratios, verdicts, tables and the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from benchmarks import pictures, report, speed
from benchmarks.goals import Goal, Results, check
from benchmarks.peers import CASCADE, DARKROOM, DOCUMENTED, NAIVE, SIMD, VIPS
from benchmarks.work import Work, usual_work

if TYPE_CHECKING:
    from pathlib import Path


def measured(**cpu: float) -> dict[str, speed.Measured]:
    names = {"documented": DOCUMENTED, "cascade": CASCADE, "darkroom": DARKROOM, "naive": NAIVE, "simd": SIMD}
    return {names[peer]: {"cpu": seconds, "peak": 100.0} for peer, seconds in cpu.items()}


@pytest.fixture
def with_sharp() -> speed.Speed:
    return {
        "rounds": 7,
        "versions": {"Pillow": "13"},
        "originals": {"2 MP": ("jpeg", 2.0), "48 MP": ("jpeg", 48.0), "12 MP PNG": ("png", 12.0)},
        "measured": {
            "2 MP": measured(documented=1.0, cascade=0.8, naive=2.0, darkroom=0.4),
            "48 MP": measured(documented=4.0, cascade=2.0, naive=8.0, darkroom=0.4),
            "12 MP PNG": measured(documented=1.0, cascade=0.4, naive=1.0, darkroom=0.6),
        },
    }


def test_ratios_are_geometric_means(with_sharp: speed.Speed) -> None:
    assert speed.ratio(with_sharp, ["2 MP", "48 MP"], DARKROOM) == pytest.approx(0.2)
    assert speed.ratio(with_sharp, ["2 MP", "48 MP"], DARKROOM, CASCADE) == pytest.approx(0.1**0.5)


def test_goals_say_what_was_met(with_sharp: speed.Speed) -> None:
    results: Results = {"speed": with_sharp}
    verdicts = [goal.verdict for goal in check(results)]
    assert verdicts == ["met", "met", "met", "**not met**", "**not met**", "met"]


def test_without_sharp_its_goals_are_not_measured(with_sharp: speed.Speed) -> None:
    for peers in with_sharp["measured"].values():
        del peers[DOCUMENTED], peers[CASCADE]
    results: Results = {"speed": with_sharp}
    verdicts = [goal.verdict for goal in check(results)]
    assert verdicts == ["not measured"] * 5 + ["met"]
    assert report.speed_table(with_sharp)[1][1:] == ["2000", "8000", "1000", ""]


def test_a_goal_may_be_a_lower_bound() -> None:
    assert Goal("score", -0.2, -0.5, at_least=True).verdict == "met"
    assert Goal("score", -0.7, -0.5, at_least=True).verdict == "**not met**"


def test_with_the_simd_resizer_goals_are_for_it(with_sharp: speed.Speed) -> None:
    for peers in with_sharp["measured"].values():
        peers.update(measured(simd=0.1))
    results: Results = {"speed": with_sharp}
    assert SIMD in check(results)[0].text


def test_the_chart_is_svg_with_a_bar_for_each_measurement(with_sharp: speed.Speed) -> None:
    root = ET.fromstring(report.chart(with_sharp))  # noqa: S314 - our own
    bars = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == "10"]
    assert len(bars) == 12
    assert all(float(bar.get("width", 0)) > 0 for bar in bars)


def test_every_peer_has_a_colour() -> None:
    assert {DOCUMENTED, CASCADE, VIPS, NAIVE, DARKROOM, SIMD} == set(report.COLOURS)


def test_the_watermark_fits_and_the_work_survives_being_written(tmp_path: Path) -> None:
    work = usual_work(tmp_path / "a.jpeg", (3000, 4000), tmp_path / "w.png")
    assert work.size == (768, 1024)
    marked = work.derivatives[1]
    assert marked.watermark == (768 - 256 - 23, 1024 - 64 - 23)
    work.write(tmp_path / "work.json")
    read = Work.read(str(tmp_path / "work.json"))
    assert read.derivatives[0] == work.derivatives[0]
    assert read.picture == work.picture


def test_originals_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = (pictures.make_originals(tmp_path / name, quick=True) for name in "ab")
    assert [one.path.read_bytes() for one in first] == [one.path.read_bytes() for one in second]
    with Image.open(first[0].path) as image:
        assert image.size == first[0].size


def test_what_is_missed_has_its_reason_once(with_sharp: speed.Speed) -> None:
    for peers in with_sharp["measured"].values():
        peers[DARKROOM]["cpu"] = 10.0
    results: Results = {"speed": with_sharp}
    assert len(report.reasons(check(results))) == 2
