"""Build the website of all documents into build/site; a warning, such as a dead link, is a failure."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.cmd.build import main as sphinx

from scripts import ROOT
from scripts.process.entry_point import ToolError, entry_point

HERE = ROOT / "scripts" / "website"
SITE = ROOT / "build" / "site"
NPM = ROOT / "build" / "site-npm"

# The start page redirects to the README.
ENTRY = """<!doctype html>
<meta charset="utf-8">
<title>Darkroom</title>
<meta http-equiv="refresh" content="0; url=README.html">
"""


def bring_mermaid() -> Path | None:
    """Return a folder with Mermaid for the pages, installed by npm at the locked version; None without npm."""
    if shutil.which("npm") is None:
        print("npm is missing, so the pages load Mermaid, which draws diagrams, from the network")
        return None
    lock = HERE / "package-lock.json"
    wanted, installed = NPM / "static", NPM / "installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        shutil.rmtree(NPM, ignore_errors=True)
        NPM.mkdir(parents=True)
        for file in (HERE / "package.json", lock):
            shutil.copy(file, NPM)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        if status := subprocess.run(command, cwd=NPM, check=False).returncode:
            raise ToolError(f"npm failed ({status}); run `npm ci` in build/site-npm to see why")
        source, chunks = NPM / "node_modules" / "mermaid" / "dist", Path("chunks", "mermaid.esm.min")
        shutil.copytree(source / chunks, wanted / chunks, ignore=shutil.ignore_patterns("*.map"))
        shutil.copy(source / "mermaid.esm.min.mjs", wanted)
        shutil.copy(lock, installed)
    return wanted


class Page(HTMLParser):
    """The ids and links of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element's id and links."""
        for name, value in attrs:
            if value and name == "id":
                self.ids.add(value)
            elif value and name in {"href", "src"}:
                self.links.add(value)


def dead_links(site: Path) -> list[str]:
    """Return the dead links within the website, each with its page, also those that Sphinx does not check."""
    pages = {file: Page(file) for file in sorted(site.rglob("*.html"))}
    dead = []
    for file, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchors = pages[target].ids if target in pages else set()
            # An anchor without an element, such as #top, belongs to a script.
            if not target.is_file() or (target in pages and parts.fragment and unquote(parts.fragment) not in anchors):
                dead.append(f"{file.relative_to(site)}: {link}")
    return dead


@entry_point
def main() -> int:
    """Build the website, and return Sphinx's exit status."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    mermaid = bring_mermaid()
    if mermaid:
        os.environ["MERMAID"] = str(mermaid)
    shutil.rmtree(SITE, ignore_errors=True)
    doctrees = str(ROOT / "build" / "site-doctrees")
    options = ["--quiet", "--fail-on-warning", "--fresh-env", "--nitpicky", "--conf-dir", str(HERE)]
    status = int(sphinx([*options, "--doctree-dir", doctrees, str(ROOT), str(SITE)]))
    if status == 0:
        (SITE / "index.html").write_text(ENTRY, encoding="utf-8")
        dead = dead_links(SITE)
        if dead:
            print("dead links:", *dead, sep="\n", file=sys.stderr)
            return 1
        print(
            f"{sum(1 for _ in SITE.rglob('*.html'))} pages; look: python3 -m http.server --bind 127.0.0.1 -d build/site"
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
