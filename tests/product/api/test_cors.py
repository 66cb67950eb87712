"""Render the template that answers a browser's preflight if several origins may call."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import airspeed  # type: ignore[import-untyped]
import pytest

from scripts import ROOT

ORIGINS = ["http://localhost:3000", "https://shop.example"]


def template() -> str:
    """Return the template for ORIGINS, from the module's file."""
    text = (ROOT / "terraform" / "modules" / "service_api" / "body.tf").read_text()
    block = text.partition("preflight_template = ")[2].partition("  ])\n")[0]
    lines = [json.loads(line) for line in re.findall(r'^\s+("#.*"),$', block, re.MULTILINE)]
    assert len(lines) == 5
    (start, *_) = lines
    assert start == "#set($origins = ${jsonencode(local.origins)})"
    return "".join(lines).replace("${jsonencode(local.origins)}", json.dumps(ORIGINS, separators=(",", ":")))


def answer(headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Render the template, and return the body and the headers that it sets."""
    chosen: dict[str, str] = {}
    values = {
        "input": SimpleNamespace(params=lambda: SimpleNamespace(header=headers)),
        "context": {"responseOverride": {"header": chosen}},
    }
    return airspeed.Template(template()).merge(values), chosen


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("name", ["origin", "Origin"])
def test_an_admitted_origin_is_named(origin: str, name: str) -> None:
    assert answer({name: origin, "Accept": "*/*"}) == ("", {"Access-Control-Allow-Origin": origin})


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.evil",
        "https://SHOP.example",
        "http://shop.example",
        "https://shop.exampl",
        "null",
        "",
        "*",
        "$origins",
        '["https://shop.example"]',
    ],
)
def test_another_origin_is_not_named(origin: str) -> None:
    assert answer({"origin": origin}) == ("", {})


def test_no_origin_names_none() -> None:
    assert answer({}) == ("", {})
