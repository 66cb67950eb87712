"""Ctrl-C: what is under way is finished, nothing new is begun."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from darkroom.errors import Exit
from darkroom.output import warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Stop:
    """Whether the command was told to stop; looked at between one piece of work and the next."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Stop."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait that long, or until it is time to stop; tells whether it is."""
        return self._event.wait(seconds)


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
            sys.stdout.flush()
            os._exit(Exit.INTERRUPTED)
        stop.set()
        warn(f"stopping: {what}; once more to stop at once")

    for number in usual:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
