"""Navigation of the website, read from the documents.

Each section of the README is a part of the navigation, with the documents that it links to first, in its order. The
other documents follow at the end, the decisions below their index.
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
    """Return the document that a link of the README leads to, or a folder's README."""
    path = posixpath.normpath(link.partition("#")[0])
    for name in (path.removesuffix(".md"), f"{path}/README"):
        if name in documents:
            return name
    return None


def parts(readme: str, documents: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the headings of the README, each with the documents that are first linked below it."""
    seen = {"README"}
    text = re.sub(r"```.*?```", "", readme, flags=re.DOTALL)
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        pages = []
        # Only tables list documents; a sentence also links to others.
        for row in re.findall(r"^\|.*$", body, re.MULTILINE):
            for link in re.findall(r"\]\(([^)\s]+)\)", row):
                page = document(link, documents)
                if page and page not in seen:
                    seen.add(page)
                    pages.append(page)
        if pages:
            yield heading, pages


def tree(caption: str, pages: Sequence[str]) -> str:
    """Return a part of the navigation as MyST, with paths from the root."""
    return TREE.format(caption=caption, pages="\n".join(f"/{page}" for page in pages))


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the navigation to the README, and the decisions to their index, before Sphinx reads them."""
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
