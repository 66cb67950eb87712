from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from darkroom import originals
from darkroom import upload as command
from darkroom.cli import main
from darkroom.interrupt import Stop
from darkroom.sources import Source, collect
from darkroom.upload import Uploader, clashing

if TYPE_CHECKING:
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


def test_a_stop_starts_no_more_uploads(resources: Resources, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.jpg").write_bytes(str(number).encode())
    stop = Stop()
    results = []
    for result in Uploader(resources, "", None).run(collect([tmp_path]), 2, stop):
        results.append(result)
        stop.set()
    assert 1 <= len(results) <= 3, "the uploads that had started"
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


def test_two_files_with_one_name_are_an_error(
    resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(folder.encode())
    assert main(["upload", str(tmp_path / "one"), str(tmp_path / "two")]) == 1
    assert "--prefix" in capsys.readouterr().err
    assert "Contents" not in resources.s3.list_objects_v2(Bucket=resources.originals)


def test_a_number_in_a_file_name_is_no_clash() -> None:
    names = {"a.jpg", "a (2).jpg"}
    assert clashing(Source(Path("two/a.jpg"), "a (2).jpg", 1), names)
    assert not clashing(Source(Path("a (2).jpg"), "a (2).jpg", 1), names)
    assert not clashing(Source(Path("a.jpg"), "a.jpg", 1), names)


def test_a_missing_file_is_an_error(resources: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upload", str(tmp_path / "missing")]) == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.fixture
def quiet(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> Resources:
    """Return a pipeline without events, of which the command reports at once that nothing arrives."""
    monkeypatch.setattr(command, "Resources", lambda _name: resources)
    monkeypatch.setattr(command, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(command, "LOOK_EVERY_SECONDS", 0.05)
    return resources


def upload_and_wait(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Upload two images, wait without a result, and return standard error in one line."""
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(name.encode())
    assert main(["upload", str(folder), "--prefix", "my album/", "--wait", "--patience", "1", *options]) == 3
    return " ".join(capsys.readouterr().err.split())


REPAIR = "darkroom reconcile --name unit --prefix 'my album/' --grace 0 --repair"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_wait_explains_missing_events_of_a_new_bucket(
    quiet: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    said = upload_and_wait(tmp_path, capsys, *options)
    (created,) = (bucket["CreationDate"] for bucket in quiet.s3.list_buckets(Prefix=quiet.originals)["Buckets"])
    settled = (created + timedelta(minutes=10)).astimezone()
    at_once, _, at_last = said.partition("2 not recorded and announced")
    assert at_once.startswith("nothing has arrived for 0 s: the bucket unit-originals-")
    assert f"Upload after {settled:%H:%M}, or send lost events again: {REPAIR}" in at_once
    assert "darkroom doctor --name unit" in at_last
    assert at_last.strip().endswith(REPAIR)


def test_wait_offers_the_repair_for_an_old_bucket(
    quiet: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "SETTLING", timedelta(0))
    said = upload_and_wait(tmp_path, capsys)
    assert said.startswith("2 not recorded and announced, and nothing has arrived for 1 s.")
    assert said.endswith(REPAIR)


def test_wait_needs_no_permission_to_list_buckets(
    quiet: Resources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListBuckets")

    quiet.s3.meta.events.register("before-call.s3.ListBuckets", refuse)
    said = upload_and_wait(tmp_path, capsys)
    assert said.startswith("2 not recorded and announced")


def test_wait_reads_the_date_of_its_own_bucket(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of other buckets may have the same prefix, and an engine may ignore the filter."""
    young, old = datetime.now(UTC), datetime.now(UTC) - timedelta(hours=1)

    def listed(created: datetime, other: datetime) -> datetime | None:
        buckets = [
            {"Name": f"{resources.originals}-2", "CreationDate": other},
            {"Name": resources.originals, "CreationDate": created},
        ]
        monkeypatch.setattr(resources.s3, "list_buckets", lambda **_: {"Buckets": buckets})
        return originals.settled_at(resources)

    assert listed(young, old) == young + timedelta(minutes=10)
    assert listed(old, young) is None
