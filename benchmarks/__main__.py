"""Measure speed, memory, quality and start of the image core and its peers, and compare with the goals.

A complete run takes about twenty minutes and writes docs/benchmarks.md. Times are CPU times, which other load on the
machine changes only a little.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table

from benchmarks import avif, goals, memory, pictures, quality, report, speed, stages, start
from benchmarks.peers import DARKROOM, NAIVE, PEERS, ROOT, SIMD, PeerError, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.goals import Results
    from benchmarks.peers import Peer

SECTIONS: tuple[Literal["speed", "memory", "stages", "quality", "avif", "start"], ...] = (
    "speed",
    "memory",
    "stages",
    "quality",
    "avif",
    "start",
)
ROUNDS = 9
FAILED = 1
INTERRUPTED = 130

OUTPUT = ROOT / "build" / "benchmark"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _parse(arguments)
    console = Console(soft_wrap=True)
    try:
        with tempfile.TemporaryDirectory(prefix="darkroom-benchmark-") as folder:
            _run(options, Path(folder), console)
    except PeerError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except subprocess.CalledProcessError as error:
        print(f"error: {error}\n{error.stderr}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SECTIONS,
        default=SECTIONS,
        metavar="SECTION",
        help=f"measure only these and write no page; there are: {', '.join(SECTIONS)}",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"default: {ROUNDS}")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="half a minute to see that everything works: small generated pictures, two rounds, speed alone, no sharp",
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.quick:
        options.rounds, options.only = 2, ("speed",)
    return options


def _run(options: argparse.Namespace, folder: Path, console: Console) -> None:
    peers = _present(options, console)
    with console.status("making the originals") as status:

        def progress(section: str) -> Callable[[str], None]:
            def show(text: str) -> None:
                status.update(f"{section}: {text}")
                if not console.is_terminal:
                    print(f"{section}: {text}", flush=True)

            return show

        originals = pictures.make_originals(folder / "originals", quick=options.quick)
        watermark = pictures.make_watermark(folder / "watermark.png")
        ours = [peer for peer in peers if peer.name in {DARKROOM, SIMD}]
        quality_of = [*ours, *(peer for peer in peers if peer.name == NAIVE)]
        measures: dict[str, Callable[[Callable[[str], None]], Any]] = {
            "speed": lambda show: speed.measure(peers, originals, watermark, options.rounds, folder, show),
            "memory": lambda show: memory.measure(ours, pictures.make_largest(folder / "24"), watermark, folder, show),
            "stages": lambda show: stages.measure(originals, watermark, options.rounds, show),
            "quality": lambda show: quality.compare(quality_of, originals, watermark, folder, show),
            "avif": lambda show: avif.compare(pictures.samples(), options.rounds, show),
            "start": lambda show: start.measure(options.rounds, folder / "start", show),
        }
        results: Results = {}
        for section in SECTIONS:
            if section in options.only:
                results[section] = measures[section](progress(section))
    _show(results, console)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if set(options.only) == set(SECTIONS):
        report.write(results, ROOT / "docs", real=bool(pictures.photographs()))
        console.print(f"written: docs/{report.PAGE}, docs/{report.CHART}")


def _present(options: argparse.Namespace, console: Console) -> list[Peer]:
    present = []
    for peer in PEERS:
        reason = missing(peer, quick=options.quick)
        if reason:
            console.print(f"without [bold]{peer.name}[/]: {reason}")
        else:
            present.append(peer)
    return present


def _show(results: Results, console: Console) -> None:
    tables = {}
    if "speed" in results:
        tables["CPU time relative to documented sharp (milliseconds)"] = report.speed_table(results["speed"])
        tables["Peak memory, MB"] = report.memory_table(results["speed"])
    if "memory" in results:
        tables["Peak memory on 24 MP, MB"] = report.largest_table(results["memory"])
    if "stages" in results:
        tables["Where the CPU time goes, milliseconds"] = report.stages_table(results["stages"])
    if "quality" in results:
        tables["SSIMULACRA2 and bytes"] = report.quality_table(results)
    if "avif" in results:
        tables["AVIF relative to WebP"] = report.avif_table(results)
    if "start" in results:
        tables["CPU time to import, milliseconds, and memory, MB"] = report.start_table(results)
    tables["Goals"] = report.goals_table(goals.check(results))
    for title, (head, *rows) in tables.items():
        table = Table(*head, title=title)
        for row in rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        console.print(table)
    for reason in report.reasons(goals.check(results)):
        console.print(f"- {reason}", markup=False)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
