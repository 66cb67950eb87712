"""CPU time and memory of every peer for every original, side by side.

All processes of one original exist at the same time and work in turns, so other load on the machine affects all of
them; medians exclude single disturbances.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import geometric_mean, median
from typing import TYPE_CHECKING, TypedDict

from benchmarks.peers import DOCUMENTED, Worker
from benchmarks.work import usual_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from benchmarks.peers import Peer
    from benchmarks.pictures import Original

WARM_UP = 2  # rounds that do not count: caches fill, a JIT compiler settles


class Measured(TypedDict):
    """Measurement of one peer for one original.

    Attributes:
        cpu: Median CPU time of a round, in seconds.
        peak: Peak memory of the process, in MB.
    """

    cpu: float
    peak: float


class Speed(TypedDict):
    """The result: by original, then by peer.

    Attributes:
        rounds: That were measured.
        versions: Versions of the libraries.
        originals: Format and megapixels of each original.
        measured: Measurements.
    """

    rounds: int
    versions: dict[str, str]
    originals: dict[str, tuple[str, float]]
    measured: dict[str, dict[str, Measured]]


def measure(
    peers: Sequence[Peer],
    originals: Sequence[Original],
    watermark: Path,
    rounds: int,
    folder: Path,
    progress: Callable[[str], None],
) -> Speed:
    """Let all peers do the usual work on all originals.

    Args:
        peers: That take part.
        originals: Originals to render.
        watermark: Watermark image.
        rounds: To be measured, after the warm-up.
        folder: For files in between.
        progress: Called with a few words before each round.
    """
    result: Speed = {"rounds": rounds, "versions": {}, "originals": {}, "measured": {}}
    for original in originals:
        work = usual_work(original.path, original.size, watermark)
        with ExitStack() as stack:
            workers = [stack.enter_context(Worker(peer, work, folder)) for peer in peers]
            times: dict[str, list[float]] = {peer.name: [] for peer in peers}
            for turn in range(-WARM_UP, rounds):
                progress(f"{original.name}: " + (f"round {turn + 1} of {rounds}" if turn >= 0 else "warm-up"))
                # Each peer is first once: the previous process affects the contents of the processor's caches.
                first = turn % len(workers)
                for worker in workers[first:] + workers[:first]:
                    cpu = worker.render()
                    if turn >= 0:
                        times[worker.peer.name].append(cpu)
            result["measured"][original.name] = {
                worker.peer.name: {"cpu": median(times[worker.peer.name]), "peak": worker.memory()}
                for worker in workers
            }
            for worker in workers:
                result["versions"] |= worker.versions
        result["originals"][original.name] = (original.format, original.size[0] * original.size[1] / 1e6)
    return result


def ratio(speed: Speed, originals: Iterable[str], peer: str, to: str = DOCUMENTED) -> float | None:
    """Return the CPU time of one peer relative to another, as the geometric mean over originals; None without both."""
    pairs = [(speed["measured"][name].get(peer), speed["measured"][name].get(to)) for name in originals]
    if not pairs:
        return None
    ratios = [one["cpu"] / other["cpu"] for one, other in pairs if one and other]
    return geometric_mean(ratios) if len(ratios) == len(pairs) else None
