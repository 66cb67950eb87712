"""Output of the command: results on standard output, for people or as JSON; everything else on standard error."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NO_TERMINAL_COLUMNS = 200  # width of tables in a pipe


def escape(text: str) -> str:
    """Return a text with all unprintable characters escaped.

    Keys, file names and messages come from anyone who can upload. They must not control the operator's terminal, fake
    a line of output or reverse its order.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def stderr() -> Console:
    """Return a console for progress, warnings and errors."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """Print one line for people."""
    _stdout().print(_printable(text))


def warn(text: str, console: Console | None = None) -> None:
    """Print one line on standard error; above a progress bar if the bar's console is given."""
    (console or stderr()).print(_printable(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people. None is an empty cell."""
    headings = (Column(_printable(column)) for column in columns)
    shown = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*("" if value is None else _printable(_text(value)) for value in row))
    _stdout().print(shown)


def result(fields: Mapping[str, object], text: str, *, as_json: bool) -> None:
    """Print one of several results: its fields as a line of JSON, or its text."""
    if as_json:
        line(fields)
    else:
        say(text)


def document(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, default=_text) + "\n")


def line(value: object) -> None:
    """Print one line of JSON, and flush it: a program may wait for it."""
    sys.stdout.write(json.dumps(value, default=_text) + "\n")
    sys.stdout.flush()


def _stdout() -> Console:
    return Console(width=None if sys.stdout.isatty() else _NO_TERMINAL_COLUMNS, soft_wrap=True, highlight=False)


def _printable(text: str) -> Text:
    return Text(escape(text))


def _text(value: Any) -> str:  # noqa: ANN401 - anything that can be shown
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)
