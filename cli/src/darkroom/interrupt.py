"""Ctrl-C: what only reads is broken off, what is being changed is finished, nothing new is begun."""

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
    """It is time to stop, and what is at hand need not be finished."""


class Stop:
    """Whether the command was told to stop; looked at between one piece of work and the next."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._breaking = False

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Stop."""
        self._event.set()

    def break_off(self) -> None:
        """For a signal's handler: break off what the main thread does in `breakable`."""
        if self._breaking:
            self._breaking = False
            raise _BrokenOff

    def wait(self, seconds: float) -> bool:
        """Wait that long, or until it is time to stop; tells whether it is."""
        return self._event.wait(seconds)

    def breakable(self, read: Callable[[], T]) -> T | None:
        """Do something that may be broken off anywhere, as it changes nothing; none if it was. For the main thread."""
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
        what: Tells the user what is finished first.
    """
    stop = Stop()
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(_number: int, _frame: FrameType | None) -> None:
        if stop:  # an exception would wait for threads, and those for what they have begun
            _warn("stopped at once: give the command again to go on")
            os._exit(Exit.INTERRUPTED)
        stop.set()
        _warn(f"stopping: {what}; once more to stop at once")
        stop.break_off()

    for number in usual:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _warn(text: str) -> None:
    """One line, past whatever this thread may be in the midst of printing."""
    with suppress(OSError):
        os.write(STDERR, f"{text}\n".encode())
