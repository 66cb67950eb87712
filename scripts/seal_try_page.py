"""Write the hashes of the page's own style and script into its Content-Security-Policy, which admits nothing else."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from base64 import b64encode

from scripts import ROOT
from scripts.process.entry_point import entry_point

PAGE = ROOT / "terraform" / "try_page" / "index.html"


def seal(page: str) -> str:
    """Return the page with the current hashes in its policy; nothing else changes."""
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}(?: [^>]*)?>(.*?)</{tag}>", page, re.DOTALL)
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        page = re.sub(rf"({directive} )[^;]+", rf"\g<1>'sha256-{digest}'", page, count=1)
    return page


@entry_point
def main() -> int:
    """Seal the page, or look whether it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the hashes are not those")
    arguments = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    sealed = seal(page)
    if arguments.check and sealed != page:
        print("error: the page's policy has other hashes: run scripts/seal_try_page.py (or make docs)", file=sys.stderr)
        return 1
    PAGE.write_text(sealed, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
