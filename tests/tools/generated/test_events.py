"""The page about the events says what the contracts say."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from scripts.contracts.events import EVENTS, load, to_json
from scripts.generated.events import PAGE, fields, render

if TYPE_CHECKING:
    from pathlib import Path

CONTRACTS = load()


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_event_is_described_whole(name: str) -> None:
    contract = CONTRACTS[name]
    schemas = [*contract.versions.values(), *filter(None, [contract.expected])]
    title = schemas[-1]["title"]
    section = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(f"{title}\n"))
    assert json.dumps(contract.pattern) in text
    for schema in schemas:
        assert schema["description"] in text
        for field in fields(schema):
            (row,) = re.findall(rf"^\| `{re.escape(field.path)}` \|.*$", text, flags=re.MULTILINE)
            assert field.schema["description"] in row
            assert f"| {'yes' if field.required else 'no'} |" in row
            kinds = field.schema["type"]
            for kind in [kinds] if isinstance(kinds, str) else kinds:
                assert kind in row
    for example in contract.examples.values():
        assert f"```json\n{to_json(example)}```" in text


def test_links_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line[:1] == "#"}
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert targets
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in headings
        else:
            assert (PAGE.parent / target).exists(), target


def test_rows_of_a_table_have_the_same_length() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert cells == {4, 5}


def edited(tmp_path: Path, source: str, target: str, change: Any) -> str:
    folder = shutil.copytree(EVENTS, tmp_path / "events")
    schema = json.loads((folder / source).read_text(encoding="utf-8"))
    change(schema)
    (folder / target).write_text(to_json(schema), encoding="utf-8")
    return render(folder)


def test_a_field_that_is_not_published_is_marked(tmp_path: Path) -> None:
    camera = {
        "type": "string",
        "minLength": 1,
        "maxLength": 9,
        "pattern": "^(a|b)$",
        "description": "The camera.",
    }
    page = edited(
        tmp_path,
        "image_processed/1.json",
        "image_processed/1.json",
        lambda schema: schema["properties"]["original"]["properties"].update(camera=camera),
    )
    row = "| `original.camera` | string; 1 to 9 characters; `^(a\\|b)$` | no |"
    assert f"{row} The camera. *Not published yet.* |" in page
    assert page.count("*Not published yet.*") == 1


def test_a_version_that_is_not_published_is_marked(tmp_path: Path) -> None:
    page = edited(tmp_path, "image_deleted/1.json", "image_deleted/2.json", id)
    assert "### Version 2 of `detail`, *not published yet*\n" in page
    assert "### Version 1 of `detail`\n" in page
