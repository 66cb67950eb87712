"""scripts/render.py: the function's own core, on files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from process_image.image import Limits, Variant, Watermark, render
from scripts import ROOT
from tests.support.pictures import encoded, photo

SCRIPT = ROOT / "scripts" / "render.py"
VARIANTS: list[dict[str, Any]] = [
    {"name": "thumb", "width": 32, "height": 32, "quality": None},
    {"name": "web", "width": 100, "format": "webp", "watermark": {"image": "logo.png", "opacity": 0.5}},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of files: one good, one bad, one hidden, one in a subfolder, one with an odd name."""
    files = tmp_path / "files"
    (files / "deep").mkdir(parents=True)
    (files / "a.jpg").write_bytes(encoded(photo(), "JPEG"))
    (files / "b.txt").write_bytes(b"hello")
    (files / ".hidden").write_bytes(b"")
    (files / "deep" / "c.png").write_bytes(encoded(photo(), "PNG"))
    (files / "d\n{.gif").write_bytes(encoded(photo(), "GIF"))
    (tmp_path / "logo.png").write_bytes(encoded(photo(20, 20), "PNG"))
    (tmp_path / "variants.json").write_text(json.dumps(VARIANTS))
    return files


def run(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == expect, done.stderr
    return done


def test_each_file_is_a_line_of_json(folder: Path) -> None:
    out = folder.parent / "out"
    done = run(folder, "--variants", folder.parent / "variants.json", "--out", out, "--json", "--jobs", 2)
    assert done.stderr == ""
    lines = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda line: line["input"])
    assert [Path(line["input"]).name for line in lines] == ["a.jpg", "b.txt", "d\n{.gif", "c.png"]
    assert [line["status"] for line in lines] == ["processed", "rejected", "processed", "processed"]
    assert lines[1]["reason"]["code"] == "unsupported_format"
    for line in lines:
        assert 0 < line["seconds"] < 60
        assert 10 < line["peak_rss_mb"] < 500
        if line["status"] == "rejected":
            continue
        assert list(line["stages"]) == ["look", "decode", "scale", "encode"]
        assert sum(line["stages"].values()) <= line["seconds"]
        assert line["original"]["width"] == 240
        for variant in line["variants"]:
            assert Path(variant["path"]).stat().st_size == variant["bytes"]
    assert (out / "deep" / "c.png" / "web.webp").exists()


def test_output_is_that_of_the_core(folder: Path) -> None:
    out = folder.parent / "out"
    run(folder / "a.jpg", "--variants", folder.parent / "variants.json", "--out", out)
    logo = Watermark(image=(folder.parent / "logo.png").read_bytes(), opacity=0.5)
    variants = [
        Variant(name="thumb", width=32, height=32),
        Variant(name="web", width=100, format="webp", watermark=logo),
    ]
    for derivative in render((folder / "a.jpg").read_bytes(), variants, Limits()).derivatives:
        (path,) = (out / "a.jpg").glob(f"{derivative.variant}.*")
        assert path.read_bytes() == derivative.data


def test_people_read_a_line_for_each_file(folder: Path) -> None:
    done = run(folder, "--variants", folder.parent / "variants.json", "--jobs", 1)
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("processed")
    assert lines[0].endswith("B")
    assert "unsupported_format the content is not" in lines[1]
    assert "d\\n{.gif" in lines[2]


def test_limits_can_be_others(folder: Path) -> None:
    variants = ("--variants", folder.parent / "variants.json", "--json")
    size = (folder / "a.jpg").stat().st_size
    for limit, code in (("max_pixels=100", "too_many_pixels"), (f"max_bytes={size - 1}", "too_many_bytes")):
        line = json.loads(run(folder / "a.jpg", *variants, "--limit", limit).stdout)
        assert line["reason"]["code"] == code
    assert line["reason"]["message"] == f"the file has {size:,} bytes; the limit is {size - 1:,}"
    (folder / "large.png").write_bytes(encoded(photo(5000, 4000), "PNG", compress_level=1))
    line = json.loads(run(folder / "large.png", *variants, "--limit", "max_memory=20").stdout)
    assert line["reason"]["code"] == ("too_much_memory" if sys.platform == "linux" else None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "a.jpg").chmod(0)
    done = run(folder, "--variants", folder.parent / "variants.json", "--json", expect=1)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()].count("error") == 1


def test_folder_with_a_derivatives_name_is_an_error(folder: Path) -> None:
    out = folder.parent / "out"
    out.write_text("no folder")
    done = run(folder, "--variants", folder.parent / "variants.json", "--out", out, "--json", "--jobs", 1, expect=1)
    statuses = [json.loads(line)["status"] for line in done.stdout.splitlines()]
    assert statuses == ["error", "rejected", "error", "error"]


@pytest.mark.parametrize(
    ("variants", "rest", "complaint"),
    [
        ("[]", (), "no list of variants"),
        ("{", (), "is no JSON"),
        ('[{"name": "v"}]', (), "width or height must be given"),
        ('[{"name": "v", "width": 1}, {"name": "v", "width": 2}]', (), "the same name"),
        ('[{"name": "v", "width": 1}]', ("--limit", "max_pixels=-1"), "NAME=NUMBER"),
        ('[{"name": "v", "width": 1}]', ("--limit", "pixels=1"), "max_scan_megapixels"),
        ('[{"name": "v", "width": 1}]', ("--limit", "max_pixels=0"), "at least 1"),
        ('[{"name": "v", "width": 1}]', ("--jobs", "0"), "--jobs"),
        ('[{"name": "v", "width": 1}]', ("missing",), "missing does not exist"),
        ('[{"name": "v", "width": 1, "watermark": {"image": "none.png"}}]', (), "none.png"),
    ],
)
def test_mistakes_are_explained(folder: Path, variants: str, rest: tuple[str, ...], complaint: str) -> None:
    file = folder.parent / "mistaken.json"
    file.write_text(variants)
    assert complaint in run(folder, *rest, "--variants", file, expect=2).stderr


def test_two_files_of_one_name_are_not_mixed_up(folder: Path) -> None:
    (folder / "deep" / "a.jpg").write_bytes(b"")
    inputs = folder / "a.jpg", folder / "deep" / "a.jpg"
    assert "would both be written" in run(*inputs, "--variants", folder.parent / "variants.json", expect=2).stderr


def test_variants_can_be_in_a_tfvars_file(folder: Path) -> None:
    file = folder.parent / "terraform.tfvars.json"
    file.write_text(json.dumps({"name": "darkroom", "variants": VARIANTS}))
    assert json.loads(run(folder / "a.jpg", "--variants", file, "--json").stdout)["status"] == "processed"


@pytest.mark.parametrize(("ending", "status", "words"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGKILL, -9, "")])
def test_child_processes_end_with_the_script(folder: Path, ending: signal.Signals, status: int, words: str) -> None:
    for number in range(200):
        (folder / f"{number}.jpg").write_bytes(encoded(photo(1600, 1200), "JPEG"))
    command = [sys.executable, str(SCRIPT), str(folder), "--variants", str(folder.parent / "variants.json"), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        assert len(running(folder)) > 1
        os.killpg(process.pid, ending)
        try:
            rest, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == status
    assert said.strip() == words
    assert len(rest.splitlines()) < 200
    for _ in range(100):
        if not running(folder):
            break
        time.sleep(0.1)
    else:
        pytest.fail("something is still running")


def running(folder: Path) -> list[str]:
    """Return the processes that were started for a folder."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(SCRIPT) in line and str(folder) in line]
