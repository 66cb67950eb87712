"""Report of measurements: ratios, verdicts, tables and the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from benchmarks import pictures, quality, report, speed, stages
from benchmarks.goals import Goal, Results, check
from benchmarks.peers import CASCADE, DARKROOM, DOCUMENTED, NAIVE, ROOT, SIMD, VIPS
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


def verdicts(results: Results) -> dict[str, str]:
    return {goal.text: goal.verdict for goal in check(results)}


def test_goals_say_what_was_met(with_sharp: speed.Speed) -> None:
    assert verdicts({"speed": with_sharp}) == {
        f"JPEG: {DARKROOM}, relative to {DOCUMENTED}": "met",
        f"JPEG: {DARKROOM}, relative to {CASCADE}": "met",
        f"PNG: {DARKROOM}, relative to {CASCADE}": "**not met**",
        f"JPEG: {DARKROOM}, no slower than {CASCADE}": "met",
        f"48 MP: peak memory of {DARKROOM}, relative to {DOCUMENTED}": "**not met**",
    }


def test_without_sharp_its_goals_are_not_measured(with_sharp: speed.Speed) -> None:
    for peers in with_sharp["measured"].values():
        del peers[DOCUMENTED], peers[CASCADE]
    assert set(verdicts({"speed": with_sharp}).values()) == {"not measured"}
    assert report.speed_table(with_sharp)[1][1:] == ["2000", "8000", "1000", ""]


def test_memory_is_of_the_worst_format() -> None:
    taken = {"JPEG": {DARKROOM: 100.0, SIMD: 300.0}, "WebP": {DARKROOM: 340.0, SIMD: 351.0}}
    assert verdicts({"memory": taken}) == {
        f"Peak memory of {DARKROOM} on 24 MP in any accepted format (WebP)": "met",
        f"Peak memory of {SIMD} on 24 MP in any accepted format (WebP)": "**not met**",
    }
    assert report.largest_table(taken) == [["", DARKROOM, SIMD], ["JPEG", "100", "300"], ["WebP", "340", "351"]]


def test_quality_has_rows_of_derivatives_and_the_worst() -> None:
    def files(naive: float, ours: float) -> dict[str, quality.File]:
        return {NAIVE: {"score": naive, "bytes": 100}, DARKROOM: {"score": ours, "bytes": 99}}

    result: quality.Quality = {
        "2 MP": {"thumbnail": files(40, 40.5), "web": files(70, 69.9)},
        "48 MP": {"thumbnail": files(40, 40), "web": files(70, 69)},
    }
    text = f"SSIMULACRA2 of {DARKROOM} compared with naive Pillow's"
    assert verdicts({"quality": result}) == {
        f"{text}, mean of thumbnail": "met",
        f"{text}, mean of web": "**not met**",
        f"{text}, the worst: web of 48 MP": "**not met**",
        f"Bytes of {DARKROOM}, relative to naive Pillow's": "met",
    }
    assert f"{DARKROOM}: 1 of 4 files are more than half a point worse." in report.reasons(check({"quality": result}))


def test_the_reason_of_a_slow_core_is_measured(tmp_path: Path, with_sharp: speed.Speed) -> None:
    originals = pictures.make_originals(tmp_path, quick=True)
    taken = stages.measure(originals, pictures.make_watermark(tmp_path / "w.png"), 1, lambda _: None)
    for one in taken.values():
        assert 0 < one["decode"] < one["all"]
        assert 0 < one["encode"] < one["all"]
    with_sharp["measured"]["48 MP"][DARKROOM]["cpu"] = 10.0
    half: stages.Stages = {"decode": 1.0, "encode": 4.0, "all": 10.0}
    reasons = report.reasons(check({"speed": with_sharp, "stages": {"2 MP": half, "48 MP": half}}))
    assert any("take 50% of its CPU time" in reason for reason in reasons)


def test_a_goal_may_be_a_lower_bound() -> None:
    assert Goal("score", -0.2, -0.5, at_least=True).verdict == "met"
    assert Goal("score", -0.7, -0.5, at_least=True).verdict == "**not met**"


def test_simd_resizer_adds_a_row_to_each_goal(with_sharp: speed.Speed) -> None:
    for peers in with_sharp["measured"].values():
        peers.update(measured(simd=0.1))
    found = verdicts({"speed": with_sharp})
    assert found[f"PNG: {SIMD}, relative to {CASCADE}"] == "met"
    assert found[f"PNG: {DARKROOM}, relative to {CASCADE}"] == "**not met**"


def test_chart_has_a_bar_for_each_measurement(with_sharp: speed.Speed) -> None:
    root = ET.fromstring(report.chart(with_sharp))  # noqa: S314 - our own
    bars = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == "10"]
    assert len(bars) == 12
    assert all(float(bar.get("width", 0)) > 0 for bar in bars)


def test_every_peer_has_a_colour() -> None:
    assert {DOCUMENTED, CASCADE, VIPS, NAIVE, DARKROOM, SIMD} == set(report.COLOURS)


def test_work_is_the_same_after_writing_it(tmp_path: Path) -> None:
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


def test_missed_goal_has_its_reason_once(with_sharp: speed.Speed) -> None:
    for peers in with_sharp["measured"].values():
        peers.update(measured(darkroom=10.0, simd=10.0))
    reasons = report.reasons(check({"speed": with_sharp}))
    assert len(reasons) == len(set(reasons)) == 2


def test_the_page_says_which_variant_is_deployed() -> None:
    settings = ROOT / "lambdas" / "process_image" / "package.toml"
    assert report.default_variant() == (SIMD if '"simd"]' in settings.read_text(encoding="utf-8") else DARKROOM)
