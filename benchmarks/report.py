"""The page that tells what was measured, and its chart."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from benchmarks import avif, speed
from benchmarks.goals import MISSED, check, plain_jpegs
from benchmarks.peers import DOCUMENTED, NAIVE, SIMD
from benchmarks.speed import WARM_UP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.goals import Goal, Results
    from benchmarks.speed import Speed

PAGE = "benchmarks.md"
CHART = "benchmarks.svg"

INTRODUCTION = """\
# Benchmarks

`make benchmark` measures all of this anew, on your machine, and writes this page. What peers it needs it installs
into `.venvs/`; without Node.js and npm it goes on without sharp, and says so.

The work is the same for all: from a file's bytes in memory to a thumbnail (JPEG, 256 pixels, quality 80), a picture
with a semi-transparent watermark (JPEG, 1,024 pixels, quality 82) and a WebP (1,024 pixels, quality 80, method 4);
upright as EXIF says, in sRGB, without metadata.
"""

HOW = """\
## How it is measured

- Each peer is a process of its own for each original, without other work. All take turns, {rounds} rounds after
  {warm_up} that do not count, another one first each time; the median counts.
- CPU time is that of user and kernel in all threads, as the operating system counts it. Wall-clock time would depend
  on how many processors there are; what a function costs is CPU time, nearly.
- Memory is the process's high-water mark after all rounds, with the runtime (Python, Node.js) in it.
- **{documented}**: a pipeline of its own for each derivative, `concurrency(1)`, no cache. **sharp, hand-tuned**:
  decoded once, with shrink-on-load, to the largest derivative; the others from those pixels. **pyvips thumbnail**:
  `thumbnail_buffer` for each derivative, one thread, no cache. **{naive}**: decoded, turned and converted in full
  size, then `thumbnail` from that for each derivative.
- **Darkroom** is the image core as it is in the function's zip, with Pillow's stock wheel; **{simd}** is the
  same with the optional part `simd`. The process that the function starts for each image is not in these figures.
- The originals are made anew for each run, always the same: from real photographs where `DARKROOM_CORPUS` names a
  folder of them, else from noise with detail of all sizes. This run had {source}.
- Quality is SSIMULACRA2 against a reference that is decoded and converted in full size and scaled once; 100 is equal,
  and less than half a point is not seen.
- Start is the CPU time of the statement in a fresh process. *Bytecode*: everything has its `.pyc`. *None*: neither
  the function nor its packages have. boto3, which Lambda brings, has them in both, so its rows differ by chance alone.
"""


def write(results: Results, folder: Path, *, real: bool) -> None:
    """Write page and chart; all sections must be there."""
    goals = check(results)
    parts = [
        INTRODUCTION,
        f"![CPU time relative to {DOCUMENTED}, by original]({CHART})\n",
        "## Goals\n",
        _markdown(goals_table(goals)),
        *(f"- {reason}" for reason in reasons(goals)),
        "",
        "## CPU time\n",
        f"Relative to {DOCUMENTED} = 1.00, and in milliseconds.\n",
        _markdown(speed_table(results["speed"])),
        "## Peak memory\n",
        "In MB.\n",
        _markdown(memory_table(results["speed"])),
        "## Quality\n",
        "SSIMULACRA2 of thumbnail, watermarked picture and WebP, and the bytes of the three together.\n",
        _markdown(quality_table(results)),
        "## AVIF instead of WebP\n",
        "At equal quality, for real photographs where there are any.\n",
        _markdown(avif_table(results)),
        "## Start\n",
        "CPU time in milliseconds to import, and to be ready.\n",
        _markdown(start_table(results)),
        HOW.format(
            rounds=results["speed"]["rounds"],
            warm_up=WARM_UP,
            documented=DOCUMENTED,
            naive=NAIVE,
            simd=SIMD,
            source="real photographs" if real else "generated pictures",
        ),
        "## This run\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {_versions(results['speed'])}.",
    ]
    folder.joinpath(PAGE).write_text("\n".join(parts) + "\n", encoding="utf-8")
    folder.joinpath(CHART).write_text(chart(results["speed"]), encoding="utf-8")


Table = list[list[str]]
"""Rows of cells; the first row is the head."""


def goals_table(goals: Sequence[Goal]) -> Table:
    """Each goal, with what was measured."""
    rows = [[goal.text, goal.wanted, goal.measured, goal.verdict] for goal in goals]
    return [["goal", "wanted", "measured", ""], *rows]


def reasons(goals: Sequence[Goal]) -> list[str]:
    """Why goals are missed, each reason once."""
    return list(dict.fromkeys(goal.reason for goal in goals if goal.verdict == MISSED and goal.reason))


def speed_table(result: Speed) -> Table:
    """CPU time by peer and original."""
    table = [["", *result["measured"], "JPEG"]]
    for peer in _peers(result):
        cells = []
        for name, peers in result["measured"].items():
            milliseconds = peers[peer]["cpu"] * 1000
            relative = speed.ratio(result, [name], peer)
            cells.append(f"{milliseconds:.0f}" if relative is None else f"{relative:.2f} ({milliseconds:.0f})")
        mean = speed.ratio(result, plain_jpegs(result), peer)
        table.append([peer, *cells, "" if mean is None else f"{mean:.2f}"])
    return table


def memory_table(result: Speed) -> Table:
    """Peak memory by peer and original."""
    rows = [[peer, *(f"{peers[peer]['peak']:.0f}" for peers in result["measured"].values())] for peer in _peers(result)]
    return [["", *result["measured"]], *rows]


def quality_table(results: Results) -> Table:
    """Scores and bytes by original and peer."""
    peers = list(next(iter(next(iter(results["quality"].values())).values())))
    table = [["", *peers, *(f"{peer}: bytes" for peer in peers)]]
    for original, derivatives in results["quality"].items():
        scores = [" / ".join(f"{files[peer]['score']:.1f}" for files in derivatives.values()) for peer in peers]
        sizes = [f"{sum(files[peer]['bytes'] for files in derivatives.values()):,}" for peer in peers]
        table.append([original, *scores, *sizes])
    return table


def avif_table(results: Results) -> Table:
    """By photograph, and the mean."""
    table = [["", "score of WebP, quality 80", "AVIF quality for it", "bytes", "CPU time"]]
    for name, one in results["avif"].items():
        table.append([name, f"{one['score']:.1f}", str(one["quality"]), f"{one['bytes']:.2f}", f"{one['cpu']:.2f}"])
    means = [f"{avif.mean(results['avif'], 'bytes'):.2f}", f"{avif.mean(results['avif'], 'cpu'):.2f}"]
    return [*table, ["mean", "", "", *means]]


def start_table(results: Results) -> Table:
    """By part."""
    parts = results["start"]["parts"]
    rows = [[name, f"{cost['bytecode']:.0f}", f"{cost['source']:.0f}"] for name, cost in parts.items()]
    return [["", "bytecode", "none"], *rows]


def machine() -> str:
    """What it ran on, in neutral words, and how much was going on there."""
    load = os.getloadavg()[2]
    processors = f"processors: {os.cpu_count()}, processes that wanted one: {load:.0f} on average"
    return f"{platform.system()} on {platform.machine()}, {processors}, Python {platform.python_version()}"


def _versions(result: Speed) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))


def _peers(result: Speed) -> list[str]:
    return list(next(iter(result["measured"].values())))


def _markdown(table: Table) -> str:
    head, *rows = table
    lines = [head, ["---"] + ["--:" if re.match(r"[\d-]", cell or "-") else "---" for cell in rows[0][1:]], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


# The chart: a bar for each peer and original. Colours are readable on white and on black; text takes the reader's.
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f } .mark { stroke: #57606a; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .mark { stroke: #8d96a0 } }"""
COLOURS = {
    "Darkroom": "#1a9850",
    "Darkroom, SIMD resizer": "#66bd63",
    "sharp, documented": "#4575b4",
    "sharp, hand-tuned": "#74a9cf",
    "pyvips thumbnail": "#9e7bb5",
    "Pillow, naive": "#d98032",
}
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 150, 560, 11, 16, 60
_LONGEST = 2.0  # of a bar, in units of documented sharp: what is longer is cut, and its number tells


def chart(result: Speed) -> str:
    """CPU time relative to documented sharp, as SVG."""
    peers = [peer for peer in COLOURS if peer in _peers(result)]
    unit = _WIDTH / _LONGEST
    shapes, y = [], _TOP
    for name, measured in result["measured"].items():
        middle = y + _BAR * len(peers) / 2 + 4
        shapes.append(f'<text x="{_LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
        for peer in peers:
            value = measured[peer]["cpu"] / measured.get(DOCUMENTED, measured[NAIVE])["cpu"]
            width = min(value, _LONGEST) * unit
            shapes.append(
                f'<rect x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_BAR - 1}" fill="{COLOURS[peer]}"/>'
                f'<text x="{_LEFT + width + 5:.0f}" y="{y + 9}" style="font-size:10px">{value:.2f}</text>'
            )
            y += _BAR
        y += _GAP
    legend = [
        f'<rect x="{_LEFT + 190 * (index % 3)}" y="{8 + 20 * (index // 3)}" width="11" height="11"'
        f' fill="{COLOURS[peer]}"/>'
        f'<text x="{_LEFT + 190 * (index % 3) + 17}" y="{18 + 20 * (index // 3)}">{escape(peer)}</text>'
        for index, peer in enumerate(peers)
    ]
    mark = f'<line class="mark" x1="{_LEFT + unit:.0f}" x2="{_LEFT + unit:.0f}" y1="{_TOP - 8}" y2="{y - _GAP + 4}"/>'
    size = f'width="{_LEFT + _WIDTH + 60}" height="{y}" viewBox="0 0 {_LEFT + _WIDTH + 60} {y}"'
    title = f"<title>CPU time relative to {escape(DOCUMENTED)}</title>"
    body = "\n".join((title, f"<style>{_STYLE}</style>", *legend, mark, *shapes))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{body}\n</svg>\n'
