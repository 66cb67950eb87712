"""The documents of the repository and the fenced blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not {".venvs", "build", ".pytest_cache"} & set(path.relative_to(ROOT).parts)
)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)

# A sentence that ends by naming the file that the block belongs to.
_FILE = re.compile(r"`([\w./-]+\.(?:json|tf))`[^`]*:\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block, without its indentation.

    Attributes:
        language: Language after the fence; empty without one.
        body: The lines.
        file: File that the preceding sentence names for the block, or None.
    """

    language: str
    body: str
    file: str | None


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a document in order."""
    for found in _FENCE.finditer(text):
        body = re.sub(rf"^{found['indent']}", "", found["body"], flags=re.MULTILINE)
        file = _FILE.search(text[: found.start()])
        yield Block(found["language"], body, file[1] if file else None)


def name(document: Path) -> str:
    """Return a document's path from the root."""
    return document.relative_to(ROOT).as_posix()
