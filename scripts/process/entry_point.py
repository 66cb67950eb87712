"""The frame of every entry point: how it starts, and how it ends on an error or an interruption."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, ParamSpec

from scripts.process.environment import prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

Arguments = ParamSpec("Arguments")

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


class ToolError(Exception):
    """An expected failure. The message says what happened and what to do.

    Attributes:
        status: The exit status.
    """

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


def entry_point(main: Callable[Arguments, int]) -> Callable[Arguments, int]:
    """Turn a function that returns an exit status into the `main` of a script.

    An error that a user can do something about is printed and returned as a status. SIGTERM and SIGHUP end the
    script as Ctrl-C does: everything that it started ends, too.
    """

    @functools.wraps(main)
    def framed(*arguments: Arguments.args, **options: Arguments.kwargs) -> int:
        prepare()
        end_in_order()
        try:
            status = main(*arguments, **options)
            sys.stdout.flush()
        except KeyboardInterrupt as interruption:
            print(": ".join(("interrupted", *interruption.args)), file=sys.stderr)
            return INTERRUPTED
        except BrokenPipeError:
            # The reader of the output has ended. Python flushes again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except (ToolError, OSError) as error:
            print("error: " + "\n".join(map(printable, str(error).split("\n"))), file=sys.stderr)
            return error.status if isinstance(error, ToolError) else FAILED
        return status

    return framed


def printable(text: str) -> str:
    """Return a text with all unprintable characters escaped, so that no file name can control a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def end_in_order() -> None:
    """End this process as by Ctrl-C on SIGTERM, or if it loses its terminal."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
