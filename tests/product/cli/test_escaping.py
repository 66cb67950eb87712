"""Keys, file names, messages and errors cannot control the operator's terminal."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from darkroom import reconcile as reconcile_command
from darkroom import upload as upload_command
from darkroom.cli import main
from darkroom.output import escape
from darkroom.resources import Dlq
from reconcile.differences import Difference, Kind
from reconcile.repair import Outcome
from reconcile.run import Report
from tests.product.cli.pipeline import put_letter, upload_of
from tests.product.cli.records import record

if TYPE_CHECKING:
    from pathlib import Path

    from darkroom.resources import Resources

KEY = "a\x1b[2J\n\u202egpj.b\x85c"
ESCAPED = r"a\x1b[2J\n\u202egpj.b\x85c"


@pytest.fixture
def image(resources: Resources) -> str:
    """Create an image, recorded with hostile texts, and a message about it in a DLQ."""
    resources.s3.put_object(Bucket=resources.originals, Key=KEY, Body=b"1", ContentType=f"x/{KEY}".replace("\n", ""))
    variant = {"name": KEY, "width": 1, "height": 1, "bytes": 1, "key": f"{KEY}/v1/{KEY}"}
    reason = {"code": KEY, "message": KEY}
    record(resources, KEY, owner=KEY, status="Rejected", reason=reason, variants=[variant], dedup_id=KEY)
    put_letter(resources, Dlq.UPLOADS, upload_of(KEY), ERROR_MESSAGE=KEY.replace("\x1b", ""))
    put_letter(resources, Dlq.BUS, f"{KEY}".replace("\x1b", ""), TARGET_ARN="arn:\u202e")
    return KEY


COMMANDS = [
    ["status", KEY],
    ["status", KEY, "--version", KEY],
    ["status", f"{KEY} unknown"],
    ["status", "a", KEY],
    ["status", f"--{KEY}"],
    [KEY],
    ["list"],
    ["list", "--limit", KEY],
    ["list", "--name", KEY],
    ["dlq", "ls"],
    ["dlq", "show"],
    ["dlq", KEY],
    ["dlq", "redrive"],
    ["dlq", "purge", "uploads", "bus", "--yes"],
    ["dlq", "purge", KEY],
    ["replay", "uploads", "--since", KEY],
    ["doctor"],
    ["doctor", "--name", KEY],
    ["cost", "--since", KEY],
    ["upload", f"/missing/{KEY}"],
    ["--outputs", f"/missing/{KEY}", "list"],
]


SHOW_KEYS = ("status", "list", "dlq show", "dlq redrive")


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_output_is_printable(
    resources: Resources, image: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in COMMANDS:
        main([*command, *options])
        printed = assert_printable(capsys)
        if " ".join(command).removesuffix(f" {KEY}") in SHOW_KEYS and not options:
            assert ESCAPED in printed, command


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_differences_are_printable(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """moto cannot list keys with control characters, which Amazon S3 encodes."""

    def run(_pipeline: object, _plan: object, _stop: object, report: Any) -> Report:
        report(Difference(Kind.MISSING, KEY, KEY, KEY), Outcome(KEY, repaired=False))
        return Report(1, Counter({Kind.MISSING: 1}), next=None)

    monkeypatch.setattr(reconcile_command, "run", run)
    assert main(["reconcile", *options]) == 3
    assert_printable(capsys)


def test_reconcile_prints_escaped_keys(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    resources.s3.put_object(Bucket=resources.originals, Key="a\u202egpj.b\x85c", Body=b"1")
    assert main(["reconcile", "--grace", "0"]) == 3
    assert r"a\u202egpj.b\x85c" in assert_printable(capsys)


def test_json_has_the_key_unchanged(resources: Resources, image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["image_id"] == KEY
    assert printed.isascii()


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_uploads_print_escaped_names(
    resources: Resources, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / KEY
    folder.mkdir()
    (folder / f"{KEY}.jpg").write_bytes(b"1")
    assert main(["upload", str(folder), "--prefix", KEY, *options]) == 0
    assert_printable(capsys)
    assert main(["upload", str(folder), str(tmp_path / "b"), *options]) == 1
    assert_printable(capsys)


def test_a_waiting_upload_prints_an_escaped_name(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upload_command, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(upload_command, "LOOK_EVERY_SECONDS", 0.05)
    (tmp_path / "a.jpg").write_bytes(b"1")
    assert main(["upload", str(tmp_path), "--prefix", f"album/{KEY}", "--wait", "--patience", "1"]) == 3
    said = assert_printable(capsys)
    assert "--prefix album/a --grace" in said, "the prefix before the first unprintable character"


def test_errors_of_aws_are_escaped(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": KEY, "Message": KEY}}, KEY)

    monkeypatch.setattr("darkroom.status.read_items", refuse)
    assert main(["status", "a"]) == 1
    assert ESCAPED in assert_printable(capsys)


def test_escape_keeps_other_text() -> None:
    text = "Grüße 日本 🙂 + %2B [bold]"
    assert escape(text) == text
    assert escape("\udcff\t\u2028") == r"\udcff\t\u2028"


def assert_printable(capsys: pytest.CaptureFixture[str]) -> str:
    """Assert that the output has no unprintable character but the ends of lines, and return it."""
    printed, said = capsys.readouterr()
    everything = printed + said
    assert "Traceback" not in everything
    assert [character for character in everything if not character.isprintable() and character != "\n"] == []
    assert not any(line.startswith(("gpj", "\\u202e")) for line in everything.splitlines()), "the key is one line"
    return everything
