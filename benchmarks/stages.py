"""CPU time by stage: decoder and encoders are a lower bound for the core."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any, TypedDict

from PIL.ImageFile import ImageFile

from benchmarks.peer_darkroom import prepare
from benchmarks.work import usual_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.pictures import Original

# The module; the package has a function of the same name in its place.
_RENDER = sys.modules["process_image.image.render"]


class Stages(TypedDict):
    """Median CPU seconds of one original: for the decoder, for all encoders together, and for everything."""

    decode: float
    encode: float
    all: float


def measure(
    originals: Sequence[Original], watermark: Path, rounds: int, progress: Callable[[str], None]
) -> dict[str, Stages]:
    """Do the usual work on each original, in this process, with the resizer that is installed."""
    result: dict[str, Stages] = {}
    for original in originals:
        progress(original.name)
        work = usual_work(original.path, original.size, watermark)
        render = prepare(work, original.path.read_bytes(), watermark.read_bytes())
        taken = [_once(render) for _ in range(rounds + 1)][1:]  # the first one fills caches
        result[original.name] = {
            "decode": median(one["decode"] for one in taken),
            "encode": median(one["encode"] for one in taken),
            "all": median(one["all"] for one in taken),
        }
    return result


def _once(render: Callable[[], Any]) -> dict[str, float]:
    taken: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        stack.enter_context(_timed(ImageFile, "load", "decode", taken))
        stack.enter_context(_timed(_RENDER, "encode", "encode", taken))
        started = time.process_time()
        list(render())
        taken["all"] += time.process_time() - started
    return taken


@contextmanager
def _timed(owner: Any, name: str, stage: str, taken: dict[str, float]) -> Iterator[None]:  # noqa: ANN401
    """Measure the CPU time of a function, in any thread."""
    original = getattr(owner, name)

    def timed(*arguments: object, **options: object) -> object:
        started = time.thread_time()
        try:
            return original(*arguments, **options)
        finally:
            taken[stage] += time.thread_time() - started

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, original)
