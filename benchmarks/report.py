"""The document of the measurements, and its chart."""

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

`make benchmark` repeats the measurements on your machine and writes this document. It installs the peers into
`.venvs/`; without Node.js and npm it omits sharp and says so.

All peers do the same work: from a file's bytes in memory to a thumbnail (JPEG, 256 pixels, quality 80), a picture
with a semi-transparent watermark (JPEG, 1,024 pixels, quality 82) and a WebP (1,024 pixels, quality 80, method 4),
rotated according to EXIF, in sRGB, without metadata.
"""

HOW = """\
## Method

- Each peer runs in its own process for each original, without other work. All take turns, for {rounds} rounds after
  {warm_up} warm-up rounds, in a rotating order; the median counts.
- CPU time is user and system time of all threads, as the operating system reports it. Wall-clock time would depend on
  the number of processors; a function is paid roughly by CPU time.
- Memory is the process's peak after all rounds, including the runtime (Python, Node.js).
- **{documented}**: a pipeline of its own for each derivative, `concurrency(1)`, no cache. **sharp, hand-tuned**:
  decoded once, with shrink-on-load, to the largest derivative; the others are made from those pixels. **pyvips
  thumbnail**: `thumbnail_buffer` for each derivative, one thread, no cache. **{naive}**: decoded, rotated and
  converted in full size, then `thumbnail` from that for each derivative.
- **Darkroom** is the image core as in the function's zip, with Pillow's stock wheel; **{simd}** is the same with the
  optional part `simd`. The default deployment is **{default}**: `parts` in `lambdas/process_image/package.toml`
  decides. The process that the function starts for each image is not included.
- The originals are generated for each run and always the same: from the photographs in `DARKROOM_CORPUS` if it is
  set, else from noise with detail of all sizes. This run used {source}.
- Quality is SSIMULACRA2 against a reference that is decoded and converted in full size and scaled once; 100 means
  equal, and differences below half a point are invisible.
- Start is the CPU time of the import in a fresh process. *Bytecode*: everything has its `.pyc`. *None*: neither the
  function nor its packages have one, as in the default zip. Lambda's boto3 has them in both columns, so its rows
  differ by chance only.
"""


def write(results: Results, folder: Path, *, real: bool) -> None:
    """Write document and chart; all sections must be there."""
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
        "24 megapixels, the default limit, in every accepted format, in MB.\n",
        markdown(largest_table(results["memory"])),
        "## CPU time by stage\n",
        f"{SIMD} if it is available: CPU time in milliseconds.\n",
        markdown(stages_table(results["stages"])),
        "## Quality\n",
        "SSIMULACRA2 of thumbnail, watermarked picture and WebP, and their total bytes.\n",
        markdown(quality_table(results)),
        "## AVIF instead of WebP\n",
        "At equal quality, for real photographs if available.\n",
        markdown(avif_table(results)),
        "## Start\n",
        "CPU time in milliseconds to import and to be ready, and memory with bytecode.\n",
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
    """Return each goal with its measurement."""
    rows = [[goal.text, goal.wanted, goal.measured, goal.verdict] for goal in goals]
    return [["goal", "wanted", "measured", ""], *rows]


def reasons(goals: Sequence[Goal]) -> list[str]:
    """Return the reasons for missed goals, each once."""
    return list(dict.fromkeys(goal.reason for goal in goals if goal.verdict == MISSED and goal.reason))


def speed_table(result: Speed) -> Table:
    """Return CPU time by peer and original."""
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
    """Return peak memory by peer and original."""
    rows = [[peer, *(f"{peers[peer]['peak']:.0f}" for peers in result["measured"].values())] for peer in _peers(result)]
    return [["", *result["measured"]], *rows]


def largest_table(result: Memory) -> Table:
    """Return peak memory by format and peer."""
    peers = list(next(iter(result.values())))
    rows = [[name, *(f"{taken[peer]:.0f}" for peer in peers)] for name, taken in result.items()]
    return [["", *peers], *rows]


def stages_table(result: Mapping[str, Stages]) -> Table:
    """Return CPU time of decoder, encoders and other code, by original."""
    table = [["", "decoder", "encoders", "other", "all", "decoder and encoders"]]
    for name, one in result.items():
        times = (one["decode"], one["encode"], one["all"] - one["decode"] - one["encode"], one["all"])
        share = (one["decode"] + one["encode"]) / one["all"]
        table.append([name, *(f"{seconds * 1000:.0f}" for seconds in times), f"{share:.0%}"])
    return table


def quality_table(results: Results) -> Table:
    """Return scores and bytes by original and peer."""
    peers = list(next(iter(next(iter(results["quality"].values())).values())))
    table = [["", *peers, *(f"{peer}: bytes" for peer in peers)]]
    for original, derivatives in results["quality"].items():
        scores = [" / ".join(f"{files[peer]['score']:.1f}" for files in derivatives.values()) for peer in peers]
        sizes = [f"{sum(files[peer]['bytes'] for files in derivatives.values()):,}" for peer in peers]
        table.append([original, *scores, *sizes])
    return table


def avif_table(results: Results) -> Table:
    """Return the comparison with WebP by photograph, and the mean."""
    table = [["", "score of WebP, quality 80", "AVIF quality for it", "bytes", "CPU time"]]
    for name, one in results["avif"].items():
        table.append([name, f"{one['score']:.1f}", str(one["quality"]), f"{one['bytes']:.2f}", f"{one['cpu']:.2f}"])
    means = [f"{avif.mean(results['avif'], 'bytes'):.2f}", f"{avif.mean(results['avif'], 'cpu'):.2f}"]
    return [*table, ["mean", "", "", *means]]


def start_table(results: Results) -> Table:
    """Return CPU time and memory by part."""
    parts = results["start"]["parts"]
    rows = [
        [name, *(f"{cost[column]:.0f}" for column in ("bytecode", "source", "memory"))] for name, cost in parts.items()
    ]
    return [["", "bytecode", "none", "MB"], *rows]


def default_variant() -> str:
    """Return the variant that is in the zip by default."""
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
    """Draw CPU time relative to documented sharp, as SVG."""
    peers = [peer for peer in COLOURS if peer in _peers(result)]
    groups = {
        name: {peer: measured[peer]["cpu"] / measured.get(DOCUMENTED, measured[NAIVE])["cpu"] for peer in peers}
        for name, measured in result["measured"].items()
    }
    return draw_bars(f"CPU time relative to {DOCUMENTED}", groups, COLOURS, _LONGEST, mark=1.0)
