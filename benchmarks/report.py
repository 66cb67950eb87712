"""The page that tells what was measured, and its chart."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks import avif, speed
from benchmarks.goals import MISSED, check, plain_jpegs
from benchmarks.peers import DARKROOM, DOCUMENTED, NAIVE, ROOT, SIMD
from benchmarks.speed import WARM_UP
from scripts.generated.documents import draw_bars, machine, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.goals import Goal, Results
    from benchmarks.memory import Memory
    from benchmarks.speed import Speed
    from benchmarks.stages import Stages
    from scripts.generated.documents import Table

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
  same with the optional part `simd`. Deployed by default is **{default}**: `parts` in
  `lambdas/process_image/package.toml` decides. The process that the function starts for each image is not in these
  figures.
- The originals are made anew for each run, always the same: from real photographs where `DARKROOM_CORPUS` names a
  folder of them, else from noise with detail of all sizes. This run had {source}.
- Quality is SSIMULACRA2 against a reference that is decoded and converted in full size and scaled once; 100 is equal,
  and less than half a point is not seen.
- Start is the CPU time of the statement in a fresh process. *Bytecode*: everything has its `.pyc`. *None*: neither
  the function nor its packages have, as in the zip that is deployed by default. boto3, which Lambda brings, has them
  in both, so its rows differ by chance alone.
"""


def write(results: Results, folder: Path, *, real: bool) -> None:
    """Write page and chart; all sections must be there."""
    goals = check(results)
    parts = [
        INTRODUCTION,
        f"![CPU time relative to {DOCUMENTED}, by original]({CHART})\n",
        "## Goals\n",
        markdown(goals_table(goals)),
        *(f"- {reason}" for reason in reasons(goals)),
        "",
        "## CPU time\n",
        f"Relative to {DOCUMENTED} = 1.00, and in milliseconds.\n",
        markdown(speed_table(results["speed"])),
        "## Peak memory\n",
        "In MB.\n",
        markdown(memory_table(results["speed"])),
        "24 megapixels, as many as the pipeline accepts by default, in every accepted format, in MB.\n",
        markdown(largest_table(results["memory"])),
        "## Where the time goes\n",
        f"{SIMD} where it can be had: CPU time in milliseconds.\n",
        markdown(stages_table(results["stages"])),
        "## Quality\n",
        "SSIMULACRA2 of thumbnail, watermarked picture and WebP, and the bytes of the three together.\n",
        markdown(quality_table(results)),
        "## AVIF instead of WebP\n",
        "At equal quality, for real photographs where there are any.\n",
        markdown(avif_table(results)),
        "## Start\n",
        "CPU time in milliseconds to import, and to be ready; and the memory that it takes, with bytecode.\n",
        markdown(start_table(results)),
        HOW.format(
            rounds=results["speed"]["rounds"],
            warm_up=WARM_UP,
            documented=DOCUMENTED,
            naive=NAIVE,
            simd=SIMD,
            default=default_variant(),
            source="real photographs" if real else "generated pictures",
        ),
        "## This run\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {_versions(results['speed'])}.",
    ]
    folder.joinpath(PAGE).write_text("\n".join(parts) + "\n", encoding="utf-8")
    folder.joinpath(CHART).write_text(chart(results["speed"]), encoding="utf-8")


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


def largest_table(result: Memory) -> Table:
    """Peak memory by format and peer."""
    peers = list(next(iter(result.values())))
    rows = [[name, *(f"{taken[peer]:.0f}" for peer in peers)] for name, taken in result.items()]
    return [["", *peers], *rows]


def stages_table(result: Mapping[str, Stages]) -> Table:
    """CPU time of decoder, encoders and the rest, by original."""
    table = [["", "decoder", "encoders", "the rest", "all", "decoder and encoders"]]
    for name, one in result.items():
        times = (one["decode"], one["encode"], one["all"] - one["decode"] - one["encode"], one["all"])
        share = (one["decode"] + one["encode"]) / one["all"]
        table.append([name, *(f"{seconds * 1000:.0f}" for seconds in times), f"{share:.0%}"])
    return table


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
    rows = [
        [name, *(f"{cost[column]:.0f}" for column in ("bytecode", "source", "memory"))] for name, cost in parts.items()
    ]
    return [["", "bytecode", "none", "MB"], *rows]


def default_variant() -> str:
    """Which of the two is in the zip unless somebody asks for something else."""
    settings = tomllib.loads((ROOT / "lambdas" / "process_image" / "package.toml").read_text(encoding="utf-8"))
    return SIMD if "simd" in settings["parts"] else DARKROOM


def _versions(result: Speed) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))


def _peers(result: Speed) -> list[str]:
    return list(next(iter(result["measured"].values())))


COLOURS = {
    "Darkroom": "#1a9850",
    "Darkroom, SIMD resizer": "#66bd63",
    "sharp, documented": "#4575b4",
    "sharp, hand-tuned": "#74a9cf",
    "pyvips thumbnail": "#9e7bb5",
    "Pillow, naive": "#d98032",
}
_LONGEST = 2.0  # of a bar, in units of documented sharp


def chart(result: Speed) -> str:
    """CPU time relative to documented sharp, as SVG."""
    peers = [peer for peer in COLOURS if peer in _peers(result)]
    groups = {
        name: {peer: measured[peer]["cpu"] / measured.get(DOCUMENTED, measured[NAIVE])["cpu"] for peer in peers}
        for name, measured in result["measured"].items()
    }
    return draw_bars(f"CPU time relative to {DOCUMENTED}", groups, COLOURS, _LONGEST, mark=1.0)
