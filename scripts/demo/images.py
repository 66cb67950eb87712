"""The images that the user names to the demo."""

from __future__ import annotations

import glob
import shlex
from pathlib import Path


def split_paths(text: str) -> list[Path]:
    """Return the paths in a text: the whole text if it exists, else its words, quoted as in a shell.

    A word that does not exist may be a pattern such as `photos/*.jpg`.
    """
    whole = Path(text).expanduser()
    if not text.strip() or whole.exists():
        return [whole] if text.strip() else []
    try:
        words = shlex.split(text)
    except ValueError:  # an apostrophe in a name
        return [whole]
    paths = []
    for word in words:
        path = Path(word).expanduser()
        matches = [] if path.exists() else [Path(match) for match in sorted(glob.glob(str(path)))]  # noqa: PTH207 - it may be absolute
        paths += matches or [path]
    return paths
