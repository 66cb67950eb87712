"""Draw the architecture of a Terraform configuration as a Mermaid diagram, and check it for Lambda pinball.

Without a file, this is the project's root with everything turned on, planned offline. For another configuration, give
its state after an apply:

    terraform show -json > state.json
    python scripts/document_architecture.py --state state.json
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.architecture.graph import graph_of
from scripts.architecture.mermaid import mermaid
from scripts.architecture.rules import MOST_HOPS, findings, longest_way, way_names
from scripts.generated.documents import settle
from scripts.process.entry_point import ToolError, entry_point
from scripts.terraform.plans import load_root, read_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.architecture.model import Graph
    from scripts.terraform.plans import Plan

# Documents with a diagram between comments, and True if it is the whole one.
DOCUMENTS = {ROOT / "README.md": False, ROOT / "docs" / "architecture.md": True}
BLOCK = re.compile(r"(<!-- architecture -->\n).*?(<!-- /architecture -->)", re.DOTALL)


def load_state(file: Path) -> Plan:
    """Return the resources of the state in a file.

    Raises:
        ToolError: The file cannot be read or is not a state.
    """
    try:
        return read_state(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ToolError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ToolError(f"{file}: {error}") from error


def filled(document: Path, graph: Graph) -> str:
    """Return a document with its current diagram.

    Raises:
        ToolError: The document has no place for it, or more than one.
    """
    text = document.read_text(encoding="utf-8")
    if len(BLOCK.findall(text)) != 1:
        raise ToolError(f"{document}: the diagram needs one place <!-- architecture --> … <!-- /architecture -->")
    diagram = f"```mermaid\n{mermaid(graph, whole=DOCUMENTS[document])}```\n"
    return BLOCK.sub(lambda found: f"{found[1]}{diagram}{found[2]}", text)


def settle_documents(graph: Graph, *, check: bool) -> bool:
    """Write the diagram into the documents, or print how they differ; return True if one differs."""
    differ = [not settle(document, filled(document, graph), check=check) for document in DOCUMENTS]
    return any(differ)


def check_rules(graph: Graph, most_hops: int) -> bool:
    """Print what breaks a rule and what cannot be checked; return True if there is anything."""
    found = findings(graph, most_hops)
    for finding in found:
        print(f"{finding.rule}: {finding.by}\n  {finding.message}", file=sys.stderr)
    for sentence in graph.unclear:
        print(f"not checked: {sentence}", file=sys.stderr)
    way = longest_way(graph)
    print(f"{len(graph.nodes)} nodes, {len(graph.edges)} arrows, {len(found)} findings", end="")
    print(f"; the longest way has {len(way)} hops: {way_names(graph, way)}" if way else "")
    return bool(found or graph.unclear)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, metavar="FILE", help="a state in JSON (default: this project, planned)")
    parser.add_argument(
        "--whole", action="store_true", help="draw also what only an API or a schedule uses, what is read, and alarms"
    )
    parser.add_argument("--hops", type=int, default=MOST_HOPS, metavar="N", help=f"most hops of a way ({MOST_HOPS})")
    todo = parser.add_mutually_exclusive_group()
    todo.add_argument("--write", action="store_true", help="write this project's diagram into its documents")
    todo.add_argument("--check", action="store_true", help="fail if a rule is broken or a document is out of date")
    options = parser.parse_args(arguments)
    if options.write and options.state:
        parser.error("--write is for this project only: leave out --state")
    return options


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the diagram, write it into the documents, or check; return the exit status."""
    options = options_of(arguments)
    graph = graph_of(load_state(options.state) if options.state else load_root())
    if options.write:
        return int(settle_documents(graph, check=False))
    if not options.check:
        print(mermaid(graph, whole=options.whole), end="")
        return 0
    broken = check_rules(graph, options.hops)
    outdated = not options.state and settle_documents(graph, check=True)
    return int(broken or outdated)


if __name__ == "__main__":
    sys.exit(main())
