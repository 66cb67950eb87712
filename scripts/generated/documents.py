"""Common parts of generated documents: writing or comparing, tables, bar charts, a description of the machine."""

from __future__ import annotations

import difflib
import os
import platform
import re
import sys
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Table = list[list[str]]
"""Rows of cells; the first row is the head."""


def settle(file: Path, wanted: str, *, check: bool) -> bool:
    """Write a generated document, or print how it differs; return False if it is out of date.

    Args:
        file: The document.
        wanted: Its content.
        check: Compare only.
    """
    found = file.read_text(encoding="utf-8") if file.exists() else ""
    if found == wanted:
        return True
    if not check:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted, encoding="utf-8")
        return True
    difference = difflib.unified_diff(found.splitlines(), wanted.splitlines(), f"{file}", "generated", lineterm="")
    print("\n".join(difference), file=sys.stderr)
    print(f"{file} is out of date: run `make docs`.", file=sys.stderr)
    return False


def markdown(table: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown, with columns of numbers aligned to the right."""
    head, *rows = table
    lines = [head, ["---"] + ["--:" if re.match(r"[\d-]", cell or "-") else "---" for cell in rows[0][1:]], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def machine() -> str:
    """Describe the machine and its load."""
    load = os.getloadavg()[2]
    processors = f"processors: {os.cpu_count()}, load average: {load:.0f}"
    return f"{platform.system()} on {platform.machine()}, {processors}, Python {platform.python_version()}"


# Bars are readable on white and black; text follows the reader's colour scheme.
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f } .mark { stroke: #57606a; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .mark { stroke: #8d96a0 } }"""
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 150, 560, 11, 16, 60


def draw_bars(
    title: str,
    groups: Mapping[str, Mapping[str, float]],
    colours: Mapping[str, str],
    longest: float,
    mark: float | None = None,
) -> str:
    """Draw a bar chart as SVG, with a group of bars for each name.

    Args:
        title: Title of the chart.
        groups: Values by group and bar.
        colours: Colours by bar.
        longest: Value of the longest bar; longer ones are cut, and show their number.
        mark: Value at which to draw a line.
    """
    unit = _WIDTH / longest
    shapes, y = [], _TOP
    for name, bars in groups.items():
        middle = y + _BAR * len(bars) / 2 + 4
        shapes.append(f'<text x="{_LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
        for what, value in bars.items():
            width = min(value, longest) * unit
            shapes.append(
                f'<rect x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_BAR - 1}" fill="{colours[what]}"/>'
                f'<text x="{_LEFT + width + 5:.0f}" y="{y + 9}" style="font-size:10px">{value:.2f}</text>'
            )
            y += _BAR
        y += _GAP
    legend = [
        f'<rect x="{_LEFT + 190 * (index % 3)}" y="{8 + 20 * (index // 3)}" width="11" height="11"'
        f' fill="{colours[what]}"/>'
        f'<text x="{_LEFT + 190 * (index % 3) + 17}" y="{18 + 20 * (index // 3)}">{escape(what)}</text>'
        for index, what in enumerate(next(iter(groups.values())))
    ]
    marked = []
    if mark is not None:
        x = f"{_LEFT + mark * unit:.0f}"
        marked = [f'<line class="mark" x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{y - _GAP + 4}"/>']
    size = f'width="{_LEFT + _WIDTH + 60}" height="{y}" viewBox="0 0 {_LEFT + _WIDTH + 60} {y}"'
    body = "\n".join((f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", *legend, *marked, *shapes))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{body}\n</svg>\n'
