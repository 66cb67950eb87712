"""The most memory that Darkroom takes for 24 megapixels, as many as the pipeline accepts, in every accepted format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers import Worker
from benchmarks.work import usual_work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.peers import Peer
    from benchmarks.pictures import Original

Memory = dict[str, dict[str, float]]
"""The most memory of the process in MB, by original and peer."""


def measure(
    peers: Sequence[Peer], originals: Sequence[Original], watermark: Path, folder: Path, progress: Callable[[str], None]
) -> Memory:
    """Let some peers do the usual work on each original once, each time in a fresh process."""
    result: Memory = {}
    for original in originals:
        progress(original.name)
        result[original.name] = {}
        for peer in peers:
            with Worker(peer, usual_work(original.path, original.size, watermark), folder) as worker:
                worker.render()
                result[original.name][peer.name] = worker.memory()
    return result
