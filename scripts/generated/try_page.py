"""Write the hashes of the page's style and script into its Content-Security-Policy, which allows nothing else."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "terraform" / "try_page" / "index.html"


def seal(page: str) -> str:
    """Return the page with the current hashes in its policy; nothing else changes."""
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}(?: [^>]*)?>(.*?)</{tag}>", page, re.DOTALL)
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        page = re.sub(rf"({directive} )[^;]+", rf"\g<1>'sha256-{digest}'", page, count=1)
    return page


def documents() -> Iterator[tuple[Path, str]]:
    """Yield the page and its text."""
    yield PAGE, seal(PAGE.read_text(encoding="utf-8"))
