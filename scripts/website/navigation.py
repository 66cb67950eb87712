"""The site's navigation, read from the documents: no list of pages to keep.

Each section of the README is a part of the navigation with the documents that it is the first to link to, in its
order. What the README does not link to follows at the end, decisions below their index.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinx.application import Sphinx

TREE = """

```{{toctree}}
:hidden:
:caption: {caption}

{pages}
```
"""


def document(link: str, documents: set[str]) -> str | None:
    """Return the document that a link of the README leads to: a page, or the page of a folder."""
    path = posixpath.normpath(link.partition("#")[0])
    for name in (path.removesuffix(".md"), f"{path}/README"):
        if name in documents:
            return name
    return None


def parts(readme: str, documents: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the headings of the README, each with the documents first linked below it."""
    seen = {"README"}
    text = re.sub(r"```.*?```", "", readme, flags=re.DOTALL)
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        pages = []
        # A table lists; what a sentence links to in passing has its place elsewhere.
        for row in re.findall(r"^\|.*$", body, re.MULTILINE):
            for link in re.findall(r"\]\(([^)\s]+)\)", row):
                page = document(link, documents)
                if page and page not in seen:
                    seen.add(page)
                    pages.append(page)
        if pages:
            yield heading, pages


def tree(caption: str, pages: Sequence[str]) -> str:
    """Return a part of the navigation in MyST; pages are relative to the root."""
    return TREE.format(caption=caption, pages="\n".join(f"/{page}" for page in pages))


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the navigation into the README, and the decisions below their index, before these are read."""
    documents = set(app.env.found_docs)
    decisions = sorted(page for page in documents if re.match(r"docs/decisions/\d", page))
    if name == "README":
        found = list(parts(source[0], documents))
        placed = {page for _, pages in found for page in pages} | {*decisions, "README"}
        found.append(("More", sorted(documents - placed)))
        source[0] += "".join(tree(heading, pages) for heading, pages in found if pages)
    elif name == "docs/decisions/README":
        source[0] += tree("Decisions", decisions)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", add_navigation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
