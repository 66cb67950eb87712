"""docs/images.md matches the code."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields

import pytest

from process_image.image import (
    INPUT_FORMATS,
    MAX_METADATA_BYTES,
    MAX_PIXELS,
    Limits,
    RejectedImageError,
    Variant,
    Watermark,
)
from process_image.image.encode import DEFAULT_QUALITY
from process_image.image.structure import MOST_PARTS
from process_image.image.variants import (
    FITS,
    MAX_MARGIN,
    MAX_SIDE,
    MAX_TEXT,
    OUTPUT_FORMATS,
    POSITIONS,
    TEXT_CHARACTERS,
)
from process_image.image.watermark import LIMITS as WATERMARK_LIMITS
from process_image.isolation import Budget
from scripts import ROOT


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "images.md").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def table(text: str, heading: str) -> dict[str, list[str]]:
    """Return the rows of the table with this heading of the first column: first cell to the others."""
    rows = text.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {first.strip("`"): others for first, *others in cells}


def test_documented_input_formats(page: str) -> None:
    assert tuple(table(section(page, "In"), "format")) == INPUT_FORMATS


def test_documented_reasons(page: str) -> None:
    codes = {reason.code for reason in RejectedImageError.__subclasses__()}
    assert set(table(section(page, "Refused"), "code")) == codes


def test_documented_limits(page: str) -> None:
    limits = table(section(page, "Limits"), "limit")
    assert list(limits) == sorted(field.name for kind in (Limits, Budget) for field in fields(kind))
    for field in (*fields(Limits), *fields(Budget)):
        assert limits[field.name][1] == f"{field.default:,}", field.name
    assert f"up to {MAX_PIXELS:,}" in limits["max_pixels"][0]
    assert f"up to {MAX_METADATA_BYTES:,}" in limits["max_metadata_bytes"][0]
    assert f"more than {MOST_PARTS:,} segments" in section(page, "Refused")


def test_reasons_have_no_subclasses() -> None:
    assert [reason.__subclasses__() for reason in RejectedImageError.__subclasses__()] == [[]] * 11


def test_documented_output_formats(page: str) -> None:
    rows = table(section(page, "Out"), "format")
    assert tuple(rows) == OUTPUT_FORMATS
    for output_format in OUTPUT_FORMATS:
        extension, quality = rows[output_format]
        assert extension == f"`.{Variant(name='v', format=output_format).extension}`"
        default = DEFAULT_QUALITY[output_format]
        assert quality.startswith("lossless" if default is None else str(default))


def test_documented_fits(page: str) -> None:
    out = section(page, "Out")
    defaults = {name: default.strip("`") for name, (default,) in table(out, "setting").items()}
    named = {field.name: field.default for field in fields(Variant) if field.default not in (MISSING, None)}
    assert defaults == {name: json.dumps(value).strip('"') for name, value in named.items()}
    assert tuple(table(out, "fit")) == FITS
    assert f"up to {MAX_SIDE:,} pixels" in out


def test_documented_watermark(page: str) -> None:
    watermark = section(page, "Watermark")
    places = watermark.partition("| | | |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"`([a-z-]+)`", places)) == POSITIONS
    settings = table(watermark, "setting")
    for setting, (meaning, default) in settings.items():
        assert default.strip("`") == str(getattr(Watermark(text="x"), setting)), meaning
    assert set(settings) | {"text", "image"} == set(Watermark.__dataclass_fields__)
    assert f"0 to {MAX_MARGIN}" in settings["margin"][0]
    assert f"up to {WATERMARK_LIMITS.max_bytes:,} bytes and {WATERMARK_LIMITS.max_pixels:,} pixels" in watermark
    assert f"up to {MAX_TEXT} characters" in watermark
    beyond_ascii = watermark.partition("ASCII and `")[2].partition("`")[0]
    assert {chr(code) for code in range(32, 127)} | set(beyond_ascii) == TEXT_CHARACTERS
