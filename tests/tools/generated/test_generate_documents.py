from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.generate_documents import GENERATORS, main
from scripts.generated.documents import settle
from scripts.generated.events import render

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", GENERATORS)
def test_documents_are_up_to_date(name: str) -> None:
    assert main([name, "--check"]) == 0


def test_outdated_document_is_reported_with_a_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "events.md"
    page.write_text(render().replace("Size of the file in bytes.", "Size in kilobytes."), encoding="utf-8")
    before = page.read_bytes()
    assert not settle(page, render(), check=True)
    error = capsys.readouterr().err
    assert "-| `original.bytes` | integer; at least 1 | yes | Size in kilobytes. |" in error
    assert "+| `original.bytes` | integer; at least 1 | yes | Size of the file in bytes. |" in error
    assert "run `make docs`" in error
    assert page.read_bytes() == before

    assert settle(page, render(), check=False)
    assert settle(page, render(), check=True)


def test_missing_document_is_out_of_date(tmp_path: Path) -> None:
    assert not settle(tmp_path / "events.md", render(), check=True)


def test_unknown_document_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["events", "evens"])
    assert ended.value.code == 2
    assert "there is no document evens; there are api, cost, events" in capsys.readouterr().err
