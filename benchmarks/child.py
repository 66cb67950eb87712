"""A peer's process: it reads a command a line and answers each with a line of JSON.

The commands: `render` does the work once and tells what it took; `save FOLDER` writes the files that came out;
`memory` tells the most memory that the process ever had. At the end of the input it ends.
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
        versions: Of the libraries that do the work.
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
    """The most memory that this process, or a child that it waited for, had in RAM at once, in MB."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _MAXRSS_UNIT
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except FileNotFoundError:  # not Linux
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
    else:
        # ru_maxrss begins with what the parent had when it forked; this begins anew.
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        own = int(found[1]) * 1024 if found else 0
    return max(own, children) / 1e6


_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


def _cpu() -> float:
    """Seconds of all threads, and of children that have ended, in user and kernel."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _answer(values: Mapping[str, Any]) -> None:
    print(json.dumps(values), flush=True)
