"""A peer's process: it reads a command a line and answers each with a line of JSON.

The commands: `render` does the work once and returns its costs; `save FOLDER` writes the resulting files; `memory`
returns the peak memory of the process. The process ends at the end of the input.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Renderer = Callable[[], Iterable[bytes]]


def serve(prepare: Callable[[Work, bytes, bytes], Renderer], versions: Mapping[str, str]) -> None:
    """Answer commands until there are no more.

    Args:
        prepare: Called once with the work, the original's bytes and the watermark's; gives what is measured.
        versions: Versions of the libraries that do the work.
    """
    work = Work.read(sys.argv[1])
    render = prepare(work, Path(work.picture).read_bytes(), Path(work.watermark).read_bytes())
    files: list[bytes] = []
    _answer({"versions": dict(versions)})
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "render":
            before, started = _cpu(), time.perf_counter()
            files = list(render())
            _answer({"cpu": _cpu() - before, "seconds": time.perf_counter() - started})
        elif command == "save":
            for derivative, data in zip(work.derivatives, files, strict=True):
                Path(argument, f"{derivative.name}.{derivative.format}").write_bytes(data)
            _answer({})
        elif command == "memory":
            _answer({"peak": peak_memory()})


def peak_memory() -> float:
    """Return the peak memory of this process, or of a child that it waited for, in MB."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _MAXRSS_UNIT
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except FileNotFoundError:  # not Linux
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
    else:
        # After a fork, ru_maxrss starts with the parent's value; this starts at zero.
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        own = int(found[1]) * 1024 if found else 0
    return max(own, children) / 1e6


_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


def _cpu() -> float:
    """Return the CPU seconds of all threads and finished children, in user and kernel mode."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _answer(values: Mapping[str, Any]) -> None:
    print(json.dumps(values), flush=True)
