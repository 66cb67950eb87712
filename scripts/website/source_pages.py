"""Pages that show the files and folders of the repository to which documents link.

A file becomes a page of highlighted source. A folder becomes the page of its README or, without one, a list of its
entries.
"""

from __future__ import annotations

import posixpath
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sphinx.application import Sphinx

FOLDER = "source"


def page_name(path: str) -> str:
    """Return the name of the page for a file or folder, given by its path from the root."""
    return f"{FOLDER}/{path}"


def link_sources(app: Sphinx, doctree: nodes.document) -> None:
    """Point a document's links to files and folders to their pages; Sphinx warns about missing ones."""
    document = app.env.docname
    linked: set[str] = app.env.darkroom_sources
    for link in [*doctree.findall(addnodes.download_reference), *doctree.findall(addnodes.pending_xref)]:
        if link.get("reftype") != "myst" or link.get("refdomain"):
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document), link["reftarget"].partition("#")[0]))
        if path.startswith("..") or not (app.srcdir / path).exists():
            continue
        if f"{path}/README" in app.env.found_docs:
            page = f"{path}/README"
        else:
            linked.add(path)
            page = page_name(path)
        reference = nodes.reference(
            "", "", *link.children, internal=True, refuri=app.builder.get_relative_uri(document, page)
        )
        link.replace_self(reference)


def entries(folder: Path) -> list[Path]:
    """Return a folder's entries in the repository, folders first."""
    found = [path for path in folder.iterdir() if not path.name.startswith((".", "__pycache__"))]
    return sorted(found, key=lambda path: (path.is_file(), path.name))


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the pages of all linked files and folders, and of the folders' entries."""
    todo, done = sorted(app.env.darkroom_sources), set()
    while todo:
        path = todo.pop()
        if path in done:
            continue
        done.add(path)
        file = app.srcdir / path
        if file.is_dir():
            inside = [entry.relative_to(app.srcdir).as_posix() for entry in entries(file)]
            todo += inside
            body = "".join(f"<li>{_link(app, path, entry)}</li>" for entry in inside)
            body = f"<ul>{body}</ul>"
        else:
            body = _highlighted(app, file)
        title = escape(path)
        yield page_name(path), {"title": title, "body": f"<h1><code>{title}</code></h1>{body}"}, "page.html"


def _link(app: Sphinx, origin: str, path: str) -> str:
    document = path.removesuffix(".md")
    page = document if document in app.env.found_docs else page_name(path)
    slash = "/" if (app.srcdir / path).is_dir() else ""
    uri = app.builder.get_relative_uri(page_name(origin), page)
    return f'<a href="{escape(uri)}"><code>{escape(posixpath.basename(path))}{slash}</code></a>'


def _highlighted(app: Sphinx, file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "<p>Not a text file.</p>"
    try:
        lexer = get_lexer_for_filename(file.name).aliases[0]
    except ClassNotFound:
        lexer = "text"
    highlighter = app.builder.highlighter
    return str(highlighter.highlight_block(text, lexer, linenos=False))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", lambda app: setattr(app.env, "darkroom_sources", set()))
    app.connect("doctree-read", link_sources, priority=100)  # before Sphinx collects downloads
    app.connect("html-collect-pages", source_pages)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
