"""What the command prints: results to standard output, for people or for programs; everything else beside them."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NO_TERMINAL_COLUMNS = 200  # what is piped is not cut where a terminal would end


def _width() -> int | None:
    return None if sys.stdout.isatty() else _NO_TERMINAL_COLUMNS


def console() -> Console:
    """Standard output, as it is now: tests replace it."""
    return Console(width=_width(), soft_wrap=True, highlight=False)


def aside() -> Console:
    """Standard error: progress, warnings, errors."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """One line for people."""
    console().print(Text(text))


def warn(text: str) -> None:
    """One line beside the results."""
    aside().print(Text(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """A table for people; a value that is not known shows as nothing."""
    shown = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(Text("" if value is None else _text(value)) for value in row))
    console().print(shown)


def document(value: object) -> None:
    """One JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, default=_text, ensure_ascii=False) + "\n")


def line(value: object) -> None:
    """One line of JSON, at once: what reads it may be waiting."""
    sys.stdout.write(json.dumps(value, default=_text, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _text(value: Any) -> str:  # noqa: ANN401 - anything that can be shown
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)
