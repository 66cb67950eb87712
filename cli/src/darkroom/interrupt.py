"""Ctrl-C: reads are broken off, changes are finished, nothing new begins."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from darkroom.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

STDERR = 2

T = TypeVar("T")


class _BrokenOff(BaseException):
    """Ends the read in progress when the command must stop."""


class Stop:
    """Request to stop, checked between one piece of work and the next."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._breaking = False

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Request to stop."""
        self._event.set()

    def break_off(self) -> None:
        """Break off what the main thread does in `breakable`. Only a signal handler may call this."""
        if self._breaking:
            self._breaking = False
            raise _BrokenOff

    def wait(self, seconds: float) -> bool:
        """Wait this long, or until a stop is requested; return True in that case."""
        return self._event.wait(seconds)

    def breakable(self, read: Callable[[], T]) -> T | None:
        """Return what `read` returns, or None if a stop breaks it off. `read` must change nothing; main thread only."""
        try:
            try:
                self._breaking = True
                return None if self else read()
            finally:
                self._breaking = False
        except _BrokenOff:
            return None


@contextmanager
def graceful(what: str) -> Iterator[Stop]:
    """Turn the first Ctrl-C (or SIGTERM) into a request to stop; the second one ends the command at once.

    Args:
        what: Message for the user about the work that is finished first.
    """
    stop = Stop()
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(_number: int, _frame: FrameType | None) -> None:
        if stop:  # an exception would wait for threads, and threads for their requests
            _warn("stopped at once: run the command again to go on")
            os._exit(Exit.INTERRUPTED)
        stop.set()
        _warn(f"stopping: {what}; press Ctrl-C again to stop at once")
        stop.break_off()

    for number in usual:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _warn(text: str) -> None:
    """Write one line, bypassing the buffers that this thread may be using."""
    with suppress(OSError):
        os.write(STDERR, f"{text}\n".encode())
