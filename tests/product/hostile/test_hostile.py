"""Files made to do harm are rejected for what they are, or processed; and what they ask for is not given."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from process_image.image import Limits, RejectedImageError, Variant, render
from process_image.isolation import Budget, run
from scripts import ROOT
from tests.product.hostile import classes
from tests.product.hostile.classes import CLASSES, FILES_EACH, LIMITS, PROCESSED, HostileClass

VARIANTS = [Variant(name="thumb", width=16, height=16), Variant(name="web", width=64, height=64, format="webp")]

RENDER = ROOT / "scripts" / "render.py"
VARIANTS_FILE = ROOT / "tests" / "tools" / "render" / "variants.json"

# A bomb promises more than it is: these are refused for what they say, with nothing decoded.
BEFORE_DECODING = {"too_many_bytes", "too_many_pixels", "too_many_frames", "too_much_metadata", "too_complex"}
BOMBS = [one for one in CLASSES if one.outcome in BEFORE_DECODING]


def outcome(data: bytes) -> str:
    try:
        render(data, VARIANTS, LIMITS)
    except RejectedImageError as rejection:
        return rejection.code if str(rejection) else "no message"
    return PROCESSED


def test_number_of_files_is_the_documented_one() -> None:
    assert len({one.name for one in CLASSES}) == len(CLASSES) >= 40
    assert len({hash(data) for one in CLASSES for data in one.files()}) >= 2_000
    # The same ones every time.
    assert [one.files() for one in CLASSES[:5]] == [one.files() for one in CLASSES[:5]]


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.name)
def test_each_file_becomes_what_it_must(one: HostileClass) -> None:
    finished = run(lambda: Counter(map(outcome, one.files())), Budget(max_seconds=120))
    assert finished.result() == {one.outcome: FILES_EACH}


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda one: one.name)
def test_a_bomb_is_refused_without_decoding_any(bomb: HostileClass, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise SystemExit("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    data = max(bomb.files(), key=len)
    assert run(lambda: outcome(data), Budget()).result() == bomb.outcome


def test_bombs_are_refused_fast_and_with_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elapsed time and the memory of the whole process, with a factor of three for other load on the machine."""
    monkeypatch.setattr(classes, "LIMITS", Limits())
    for bomb in BOMBS:
        files = [bomb.make(random.Random(f"{bomb.name} {number}")) for number in range(3)]
        (tmp_path / bomb.name).write_bytes(max(files, key=len))
    command = [sys.executable, RENDER, tmp_path, "--variants", VARIANTS_FILE, "--json", "--jobs", "1"]
    runs = []
    for _ in range(3):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
        runs.append({Path(line["input"]).name: line for line in map(json.loads, done.stdout.splitlines())})
    assert {name: line["reason"]["code"] for name, line in runs[0].items()} == {one.name: one.outcome for one in BOMBS}
    assert {name: one for name in runs[0] if (one := min(lines[name]["seconds"] for lines in runs)) > 0.25} == {}
    assert {name: line["peak_rss_mb"] for name, line in runs[0].items() if line["peak_rss_mb"] > 128} == {}
