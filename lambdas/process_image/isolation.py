"""A process of its own for each image: whatever an image does to it, this one goes on.

Decoders are C code. It cannot be interrupted while it runs for ever, and what it does to memory, it does to the
whole process. See docs/decisions/0009-a-process-for-each-image.md.
"""

from __future__ import annotations

import gc
import math
import os
import pickle
import resource
import select
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, cast

from process_image.image import (
    DecoderCrashedError,
    RejectedImageError,
    TooMuchMemoryError,
    TooSlowError,
    UnreadableImageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# What hostile data makes of a decoder. Other signals, such as those of a lack of memory in the whole machine or of
# an instruction that the processor does not know, say nothing about the image.
_CRASHES: Final = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE)

# Some decoders take a lack of memory for damage, or for a reason to crash. Who had this part of it is not believed.
_NEARLY_ALL: Final = 0.75

_OUT_OF_MEMORY: Final = 3  # exit status of a child; 1 is that of a mistake of ours

_MEGABYTE: Final = 1024 * 1024
_RSS_UNIT: Final = 1024 if sys.platform == "linux" else 1  # of what the kernel says, in bytes


class RenderingFailedError(Exception):
    """Rendering failed for a reason that is not the image's: a failure, which the queue retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one image may take.

    Attributes:
        max_memory: MB, besides what the function itself has. Only Linux holds it.
        max_seconds: By the clock.
    """

    max_memory: int = 512
    max_seconds: int = 10

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Generic[T]):
    """What became of a call in a process of its own.

    Attributes:
        seconds: By the clock.
        cpu_seconds: Of processors, all of its threads together.
        peak_rss: The most memory that the process had, in MB; what it shares with this one counts.
    """

    seconds: float
    cpu_seconds: float
    peak_rss: float
    value: T | None
    error: Exception | None

    def result(self) -> T:
        """Return what the call returned.

        Raises:
            RejectedImageError: The call did, or it was ended: it took too long or too much memory, or crashed.
            RenderingFailedError: The call raised anything else, or its process was ended from outside.
        """
        if self.error:
            raise self.error
        return cast("T", self.value)


def run(call: Callable[[], T], budget: Budget) -> Finished[T]:
    """Call something in a process of its own, a copy of this one that ends with it.

    Args:
        call: Returns what can be pickled. Its changes to this process's objects are lost.
        budget: What it may take.
    """
    started = time.monotonic()
    before = _resident()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(call, budget, writing)
    os.close(writing)
    try:
        answer = _read(reading, started + budget.max_seconds)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)  # no harm, if it has ended: nobody has waited for it yet
        _, status, usage = os.wait4(child, 0)
    value, error = (None, TooSlowError(budget.max_seconds)) if answer is None else _judge(answer, status, budget)
    peak = usage.ru_maxrss * _RSS_UNIT / _MEGABYTE
    if (
        isinstance(error, UnreadableImageError | DecoderCrashedError)
        and peak - before >= _NEARLY_ALL * budget.max_memory
    ):
        error = TooMuchMemoryError(budget.max_memory)
    return Finished(
        seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_rss=peak,
        value=value,
        error=error,
    )


def _resident() -> float:
    """The memory in MB that a copy of this process has from its start; all there is, where nothing bounds it."""
    if sys.platform != "linux":
        return math.inf
    _, resident, of_files, *_ = _memory()
    return (resident - of_files) / _MEGABYTE  # what is mapped from files is not there until it is read


def _memory() -> list[int]:
    """What the kernel tells of this process's memory, in bytes: proc(5), statm."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib costs more than the rest of this
        return [int(pages) * resource.getpagesize() for pages in file.read().split()]


def _answer(call: Callable[[], object], budget: Budget, writing: int) -> NoReturn:
    """Live and die as the child."""
    status = 1
    try:
        _confine(budget)
        # Closed by the end of this process, not before: whoever reads its end may count on the status.
        pipe = open(writing, "wb", closefd=False)  # noqa: SIM115
        try:
            pickle.dump(_outcome(call, budget), pipe, pickle.HIGHEST_PROTOCOL)
            pipe.flush()
            status = 0
        except MemoryError:  # even the answer was too much
            status = _OUT_OF_MEMORY
    finally:
        # Neither the caller's `finally` nor its buffers are this process's business.
        os._exit(status)


def _outcome(call: Callable[[], object], budget: Budget) -> tuple[object, Exception | None]:
    """What a call returns, or what it comes to that it does not."""
    try:
        return call(), None
    except RejectedImageError as rejection:
        return None, rejection
    except MemoryError:
        return None, TooMuchMemoryError(budget.max_memory)
    except BaseException:  # noqa: BLE001 - there is nobody above to catch it
        return None, RenderingFailedError(traceback.format_exc())


def _confine(budget: Budget) -> None:
    gc.disable()  # it would copy every page that it looks at
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who waits
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(budget.max_seconds) + 1)  # should nobody wait any more
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)  # what decoders have to say does not belong into a log of JSON lines
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        data = _memory()[5]
        most = data + budget.max_memory * _MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _read(reading: int, deadline: float) -> bytes | None:
    """All that the child writes until it ends; None if it does not end in time."""
    chunks: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        chunk = os.read(reading, _MEGABYTE)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
    return None


def _judge(answer: bytes, status: int, budget: Budget) -> tuple[Any, Exception | None]:
    """Tell what the child returned or raised, or else what ended it."""
    try:
        value, error = pickle.loads(answer)  # noqa: S301 - from a copy of this process, with no more rights than it
    except (EOFError, pickle.UnpicklingError):
        value = None
        code = os.waitstatus_to_exitcode(status)
        if -code in _CRASHES:
            error = DecoderCrashedError()
        elif code == _OUT_OF_MEMORY:
            error = TooMuchMemoryError(budget.max_memory)
        else:
            error = RenderingFailedError(f"the process that rendered the image ended with {code}")
    return value, error
