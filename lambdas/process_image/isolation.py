"""A separate process for each image, so that no image can harm the function's process.

Decoders are C code. Python cannot interrupt it in an endless loop, and its memory errors damage the whole process. See
docs/decisions/0009-a-process-for-each-image.md.
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

# Signals of a decoder that crashes on hostile data. Other signals are not caused by the image, such as those of a
# machine without memory or of an instruction that the processor does not support.
_CRASHES: Final = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE)

# Some decoders report missing memory as damage, or crash. From this part of the limit on, memory is the reason.
_NEARLY_ALL: Final = 0.75

_OUT_OF_MEMORY: Final = 3  # exit status of a child; 1 is the status of an error in this code

_MEGABYTE: Final = 1024 * 1024
_RSS_UNIT: Final = 1024 if sys.platform == "linux" else 1  # of the kernel's figure, in bytes


class RenderingFailedError(Exception):
    """Rendering failed for a reason other than the image: a failure, which the queue retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of time and memory for one image.

    Attributes:
        max_memory: MB in addition to the memory of the function itself. Only Linux enforces it.
        max_seconds: Seconds of elapsed time.
    """

    max_memory: int = 512
    max_seconds: int = 10

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Generic[T]):
    """The result of a call in a separate process.

    Attributes:
        seconds: Elapsed time in seconds.
        cpu_seconds: Processor time of all threads in seconds.
        peak_rss: Peak memory of the process in MB, including the memory that it shares with this one.
        value: The value that the call returned.
        error: The error to raise instead, or None.
    """

    seconds: float
    cpu_seconds: float
    peak_rss: float
    value: T | None
    error: Exception | None

    def result(self) -> T:
        """Return the call's value.

        Raises:
            RejectedImageError: The call raised it, exceeded a limit, or crashed.
            RenderingFailedError: The call raised anything else, or its process was killed.
        """
        if self.error:
            raise self.error
        return cast("T", self.value)


def run(call: Callable[[], T], budget: Budget) -> Finished[T]:
    """Run a call in a separate process, which is a copy of this one and ends with the call.

    Args:
        call: Returns a value that can be pickled. Its changes to this process's objects are lost.
        budget: The limits.
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
        os.kill(child, signal.SIGKILL)  # harmless if it has ended, because it is not waited for yet
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
    """Return the memory in MB of a new copy of this process, or infinity where there is no limit."""
    if sys.platform != "linux":
        return math.inf
    _, resident, of_files, *_ = _memory()
    return (resident - of_files) / _MEGABYTE  # pages mapped from files use no memory until they are read


def _memory() -> list[int]:
    """Return the kernel's figures of this process's memory, in bytes: proc(5), statm."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib is slower than all other steps
        return [int(pages) * resource.getpagesize() for pages in file.read().split()]


def _answer(call: Callable[[], object], budget: Budget, writing: int) -> NoReturn:
    """Run as the child process, and exit."""
    status = 1
    try:
        _confine(budget)
        # Closed when this process exits, not before: then the status is known as soon as the pipe ends.
        pipe = open(writing, "wb", closefd=False)  # noqa: SIM115
        try:
            pickle.dump(_outcome(call, budget), pipe, pickle.HIGHEST_PROTOCOL)
            pipe.flush()
            status = 0
        except MemoryError:  # even pickling the answer needed too much
            status = _OUT_OF_MEMORY
    finally:
        # Neither run the caller's `finally` blocks nor flush its buffers.
        os._exit(status)


def _outcome(call: Callable[[], object], budget: Budget) -> tuple[object, Exception | None]:
    """Return (value, None), or (None, the error to report)."""
    try:
        return call(), None
    except RejectedImageError as rejection:
        return None, rejection
    except MemoryError:
        return None, TooMuchMemoryError(budget.max_memory)
    except BaseException:  # noqa: BLE001 - no caller can catch it
        return None, RenderingFailedError(traceback.format_exc())


def _confine(budget: Budget) -> None:
    gc.disable()  # it would copy every page that it visits
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(budget.max_seconds) + 1)  # in case the parent has ended
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)  # decoders write text, and the log has JSON lines
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        data = _memory()[5]
        most = data + budget.max_memory * _MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _read(reading: int, deadline: float) -> bytes | None:
    """Return everything that the child writes until it ends, or None if it does not end in time."""
    chunks: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        chunk = os.read(reading, _MEGABYTE)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
    return None


def _judge(answer: bytes, status: int, budget: Budget) -> tuple[Any, Exception | None]:
    """Return what the child returned or raised, or the reason why it ended without an answer."""
    try:
        value, error = pickle.loads(answer)  # noqa: S301 - from a copy of this process, with the same rights
    except (EOFError, pickle.UnpicklingError):
        value = None
        code = os.waitstatus_to_exitcode(status)
        if -code in _CRASHES:
            error = DecoderCrashedError()
        elif code == _OUT_OF_MEMORY:
            error = TooMuchMemoryError(budget.max_memory)
        else:
            error = RenderingFailedError(f"the process that rendered the image ended with status {code}")
    return value, error
