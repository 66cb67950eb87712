"""The gate, run on copies of the real contracts that were changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT
from scripts.check_published import main
from scripts.contracts.compatibility import normalise
from scripts.contracts.events import EVENTS, load, to_json
from scripts.release.contracts import PUBLISHED, publishable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROCESSED = "image_processed/1.json"


class Gate:
    """The gate before a copy of the contracts."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def run(self, *options: str) -> tuple[int, str]:
        """Exit status and everything that was printed."""
        status = main(["contracts", *options, "--root", str(self.folder.parent)])
        captured = self._capture.readouterr()
        return status, captured.out + captured.err

    def edit(self, file: str, change: Callable[[Any], object], to: str | None = None) -> None:
        """Change one file, or write the result to another."""
        content = json.loads((self.folder / file).read_text(encoding="utf-8"))
        change(content)
        (self.folder / (to or file)).write_text(to_json(content), encoding="utf-8")

    @property
    def published(self) -> bytes:
        return (self.folder / "published.json").read_bytes()


@pytest.fixture
def gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Gate:
    return Gate(shutil.copytree(EVENTS, tmp_path / "events"), capsys)


def rename_width(schema: Any) -> None:
    original = schema["properties"]["original"]
    original["properties"]["pixels_wide"] = original["properties"].pop("width")
    original["required"][original["required"].index("width")] = "pixels_wide"


def add_camera(schema: Any) -> None:
    schema["properties"]["camera"] = {"type": "string", "description": "The camera."}


def test_the_contracts_keep_what_is_published() -> None:
    """As `make check` runs it."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_published.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_record_is_what_publishing_writes() -> None:
    published = json.loads((ROOT / PUBLISHED).read_text(encoding="utf-8"))
    ours = {"image_deleted", "image_processed", "image_rejected", "image_version_deleted"}
    assert ours <= published.keys() <= load().keys()
    for event in published.values():
        assert list(event) == ["pattern", "versions"]
        for schema in event["versions"].values():
            assert to_json(normalise(schema)) == to_json(schema)


def test_publishing_twice_changes_nothing(gate: Gate) -> None:
    gate.run("--publish")
    before = gate.published
    assert gate.run("--publish")[0] == 0
    assert gate.published == before
    assert json.loads(before) == publishable(load(gate.folder))


def test_a_breaking_change_fails_and_says_what_to_do(gate: Gate) -> None:
    gate.edit(PROCESSED, rename_width)
    status, text = gate.run()
    assert status == 1
    assert "events/image_processed/1.json breaks its consumers" in text
    assert "original.width: was removed" in text
    assert "events/image_processed/2.json, with schema_version 2" in text
    assert "image_rejected" not in text


def test_a_breaking_change_cannot_be_published(gate: Gate) -> None:
    before = gate.published
    gate.edit(PROCESSED, rename_width)
    assert gate.run("--publish")[0] == 1
    assert gate.published == before


def test_all_breaking_changes_are_reported_together(gate: Gate) -> None:
    gate.edit(PROCESSED, rename_width)
    gate.edit("image_rejected/1.json", lambda schema: schema["required"].remove("reason"))
    gate.edit("image_deleted/pattern.json", lambda pattern: pattern.update(source=["studio"]))
    status, text = gate.run()
    assert status == 1
    for problem in ("original.width: was removed", "reason: may now be missing", '"studio"'):
        assert problem in text


def test_optional_field_passes_until_published(gate: Gate) -> None:
    gate.edit(PROCESSED, add_camera)
    status, text = gate.run()
    assert status == 0
    assert f"events/{PROCESSED}: has changes that --publish would record" in text

    gate.edit(PROCESSED, lambda schema: schema["properties"].pop("camera"))
    assert gate.run()[0] == 0  # the field was not published

    gate.edit(PROCESSED, add_camera)
    status, text = gate.run("--publish")
    assert status == 0
    assert f"events/{PROCESSED}: published now" in text

    status, text = gate.run()
    assert status == 0
    assert PROCESSED not in text

    gate.edit(PROCESSED, lambda schema: schema["properties"].pop("camera"))
    status, text = gate.run()
    assert status == 1
    assert "camera: was removed" in text


def test_descriptions_and_order_need_no_publishing(gate: Gate) -> None:
    gate.run("--publish")
    gate.edit(PROCESSED, lambda schema: schema.update(description="Said in another way."))
    gate.edit(PROCESSED, lambda schema: schema["required"].reverse())
    gate.edit(PROCESSED, lambda schema: schema["properties"]["owner"]["type"].reverse())
    status, text = gate.run()
    assert status == 0
    assert PROCESSED not in text


def test_a_breaking_change_may_come_as_a_new_version(gate: Gate) -> None:
    def second(schema: Any) -> None:
        rename_width(schema)
        schema["properties"]["schema_version"]["const"] = 2

    gate.edit(PROCESSED, second, to="image_processed/2.json")
    status, text = gate.run()
    assert status == 0
    assert "events/image_processed/2.json: has changes" in text

    assert gate.run("--publish")[0] == 0
    (gate.folder / "image_processed" / "2.json").unlink()
    status, text = gate.run()
    assert status == 1
    assert "events/image_processed/2.json is published, but missing" in text


def test_after_two_versions_the_next_is_the_third(gate: Gate) -> None:
    to_second = "image_processed/2.json"
    gate.edit(PROCESSED, lambda schema: schema["properties"]["schema_version"].update(const=2), to=to_second)
    gate.edit(PROCESSED, rename_width)
    assert "image_processed/3.json, with schema_version 3" in gate.run()[1]


@pytest.mark.parametrize(
    "change",
    [
        id,
        lambda schema: schema["properties"]["schema_version"].pop("const"),
        lambda schema: schema["properties"].pop("schema_version"),
    ],
    ids=["another version's", "none", "no such field"],
)
def test_a_version_has_to_say_which_it_is(gate: Gate, change: Callable[[Any], object]) -> None:
    gate.edit(PROCESSED, change, to="image_processed/2.json")
    status, text = gate.run()
    assert status == 1
    assert "events/image_processed/2.json: schema_version is" in text


def test_a_version_has_to_say_so_in_every_event(gate: Gate) -> None:
    def second(schema: Any) -> None:
        schema["properties"]["schema_version"]["const"] = 2
        schema["required"].remove("schema_version")

    gate.edit(PROCESSED, second, to="image_processed/2.json")
    assert gate.run()[0] == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda pattern: pattern.update(source=["studio"]),
        lambda pattern: pattern.update({"detail-type": ["Image Developed"]}),
        lambda pattern: pattern["detail-type"].append("Image Developed"),
        lambda pattern: pattern.pop("source"),
        lambda pattern: pattern.update(detail={"status": ["Processed"]}),
    ],
    ids=["source", "detail-type", "another type", "any source", "detail"],
)
def test_a_published_pattern_stays(gate: Gate, change: Callable[[Any], object]) -> None:
    gate.edit("image_processed/pattern.json", change)
    for options in ([], ["--publish"]):
        status, text = gate.run(*options)
        assert status == 1
        assert "events/image_processed/pattern.json is " in text
        assert '{"source": ["darkroom"], "detail-type": ["Image Processed"]} is published' in text


def test_a_published_version_stays(gate: Gate) -> None:
    (gate.folder / PROCESSED).unlink()
    status, text = gate.run()
    assert status == 1
    assert f"events/{PROCESSED} is published, but missing" in text


def test_a_published_event_stays(gate: Gate) -> None:
    shutil.rmtree(gate.folder / "image_processed")
    for options in ([], ["--publish"]):
        status, text = gate.run(*options)
        assert status == 1
        assert "events/image_processed/ is published, but missing" in text


def test_a_new_event_passes_and_can_be_published(gate: Gate) -> None:
    shutil.copytree(gate.folder / "image_processed", gate.folder / "image_printed")
    assert gate.run()[0] == 0
    assert gate.run("--publish")[0] == 0
    assert "image_printed" in json.loads(gate.published)


def test_without_the_record_nothing_passes(gate: Gate) -> None:
    (gate.folder / "published.json").unlink()
    status, text = gate.run()
    assert status == 1
    assert "published.json is missing" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda schema: schema["properties"]["variants"].update(items={"$ref": "#/$defs/x"}),
            "keyword '$ref'",
        ),
        (lambda schema: schema.update(additionalProperties=False), "keyword 'additionalProperties'"),
        (lambda schema: schema.update(type="objekt"), "is not a JSON Schema: $.type: 'objekt'"),
    ],
    ids=["$ref", "closed", "invalid"],
)
def test_a_schema_that_cannot_be_compared_fails(gate: Gate, change: Callable[[Any], object], message: str) -> None:
    gate.edit(PROCESSED, change)
    status, text = gate.run()
    assert status == 1
    assert message in text


def test_a_file_that_is_not_json_is_named(gate: Gate) -> None:
    (gate.folder / PROCESSED).write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"image_processed/1\.json is not JSON"):
        gate.run()
