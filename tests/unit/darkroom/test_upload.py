from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.cli import main
from darkroom.interrupt import Stop
from darkroom.upload import Uploader, clashing
from demo_sources import Source, collect

if TYPE_CHECKING:
    import pytest

    from darkroom.resources import Resources


def outcomes(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {line["image_id"]: line["outcome"] for line in map(json.loads, capsys.readouterr().out.splitlines())}


def test_the_same_bytes_are_uploaded_once(
    resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "deep" / "b.png").write_bytes(b"b")
    (tmp_path / "notes.txt").write_bytes(b"no image")
    upload = ["upload", str(tmp_path), "--prefix", "album/", "--json"]
    assert main([*upload, "--dry-run"]) == 0
    assert outcomes(capsys) == {"album/a.jpg": "would be uploaded", "album/deep/b.png": "would be uploaded"}
    assert main(upload) == 0
    assert outcomes(capsys) == {"album/a.jpg": "uploaded", "album/deep/b.png": "uploaded"}
    (tmp_path / "a.jpg").write_bytes(b"another")
    assert main(upload) == 0
    assert outcomes(capsys) == {"album/a.jpg": "uploaded", "album/deep/b.png": "there already"}
    versions = resources.s3.list_object_versions(Bucket=resources.originals)["Versions"]
    assert sorted(version["Key"] for version in versions) == ["album/a.jpg", "album/a.jpg", "album/deep/b.png"]


def test_another_owner_is_another_upload(
    resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    for owner in ("alice", "bob"):
        assert main(["upload", str(tmp_path), "--owner", owner, "--json"]) == 0
        assert outcomes(capsys) == {"a.jpg": "uploaded"}
    head = resources.s3.head_object(Bucket=resources.originals, Key="a.jpg")
    assert head["Metadata"]["owner"] == "bob"
    assert head["ContentType"] == "image/jpeg"


def test_nothing_is_begun_once_it_is_time_to_stop(resources: Resources, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.jpg").write_bytes(str(number).encode())
    stop = Stop()
    results = []
    for result in Uploader(resources, "", None).run(collect([tmp_path]), 2, stop):
        results.append(result)
        stop.set()
    assert 1 <= len(results) <= 3, "what had begun"
    listed = resources.s3.list_objects_v2(Bucket=resources.originals)["Contents"]
    assert {item["Key"] for item in listed} == {result.image for result in results}
    assert threading.active_count() == 1


def test_a_file_that_cannot_be_uploaded_fails_alone(
    resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").write_bytes(b"b")
    sources = [Source(tmp_path / "gone.jpg", "gone.jpg", 1), *collect([tmp_path])]
    results = {result.image: result.outcome for result in Uploader(resources, "", None).run(sources, 4, Stop())}
    assert results == {"gone.jpg": "failed", "a.jpg": "uploaded", "b.jpg": "uploaded"}


def test_two_files_of_one_name_are_refused(
    resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(folder.encode())
    assert main(["upload", str(tmp_path / "one"), str(tmp_path / "two")]) == 1
    assert "--prefix" in capsys.readouterr().err
    assert "Contents" not in resources.s3.list_objects_v2(Bucket=resources.originals)


def test_a_number_of_ones_own_is_no_clash() -> None:
    names = {"a.jpg", "a (2).jpg"}
    assert clashing(Source(Path("two/a.jpg"), "a (2).jpg", 1), names)
    assert not clashing(Source(Path("a (2).jpg"), "a (2).jpg", 1), names)
    assert not clashing(Source(Path("a.jpg"), "a.jpg", 1), names)


def test_nothing_to_upload_is_an_error(
    resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["upload", str(tmp_path / "nowhere")]) == 1
    assert "does not exist" in capsys.readouterr().err
