"""Print the architecture in a plan of Terraform as a Mermaid diagram, and check it for Lambda pinball.

Without a file, plan this project's root against an embedded emulator. For any other configuration:

    terraform plan -out tfplan
    terraform show -json tfplan > plan.json
    python scripts/document_architecture.py --plan plan.json
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
from scripts.terraform.plan import Plan
from scripts.terraform.root_plan import root_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.architecture.model import Graph

# Documents with a diagram between comments; True for the complete diagram.
DOCUMENTS = {ROOT / "README.md": False, ROOT / "docs" / "architecture.md": True}
BLOCK = re.compile(r"(<!-- architecture -->\n).*?(<!-- /architecture -->)", re.DOTALL)


def read_plan(file: Path) -> Plan:
    """Return the plan in a file.

    Raises:
        ToolError: The file cannot be read or holds no plan.
    """
    try:
        return Plan(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ToolError(f"{file} cannot be read: {error.strerror}.") from error
    except (ToolError, ValueError) as error:
        raise ToolError(f"{file}: {error}") from error


def filled(document: Path, graph: Graph) -> str:
    """Return a document with an updated diagram.

    Raises:
        ToolError: The document has no place for it, or several.
    """
    text = document.read_text(encoding="utf-8")
    if len(BLOCK.findall(text)) != 1:
        raise ToolError(f"{document}: the picture needs one place <!-- architecture --> … <!-- /architecture -->")
    picture = f"```mermaid\n{mermaid(graph, whole=DOCUMENTS[document])}```\n"
    return BLOCK.sub(lambda found: f"{found[1]}{picture}{found[2]}", text)


def settle_documents(graph: Graph, *, check: bool) -> bool:
    """Write the diagram into the documents, or print how they differ; return True if one differs."""
    differ = [settle(document, filled(document, graph), "make docs", check=check) for document in DOCUMENTS]
    return any(differ)


def check_rules(graph: Graph, most_hops: int) -> bool:
    """Print broken rules and unknown parts; return True if there are any."""
    found = findings(graph, most_hops)
    for finding in found:
        print(f"{finding.rule}: {finding.by}\n  {finding.message}", file=sys.stderr)
    for sentence in graph.unclear:
        print(f"not looked at: {sentence}", file=sys.stderr)
    way = longest_way(graph)
    print(f"{len(graph.nodes)} nodes, {len(graph.edges)} arrows, {len(found)} findings", end="")
    print(f"; the longest way has {len(way)} hops: {way_names(graph, way)}" if way else "")
    return bool(found or graph.unclear)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", type=Path, metavar="FILE", help="a plan in JSON; default: plan this project")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="also draw API-only parts, schedules, reads and alarms",
    )
    parser.add_argument(
        "--hops", type=int, default=MOST_HOPS, metavar="N", help=f"maximum of hops; default: {MOST_HOPS}"
    )
    todo = parser.add_mutually_exclusive_group()
    todo.add_argument("--write", action="store_true", help="write the diagram into this project's documents")
    todo.add_argument("--check", action="store_true", help="fail if a rule is broken or a document is out of date")
    options = parser.parse_args(arguments)
    if options.write and options.plan:
        parser.error("--write is for this project's own plan: omit --plan")
    return options


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Print, write or check the diagram, and return the exit status."""
    options = options_of(arguments)
    graph = graph_of(read_plan(options.plan or root_plan()))
    if options.write:
        return int(settle_documents(graph, check=False))
    if not options.check:
        print(mermaid(graph, whole=options.whole), end="")
        return 0
    broken = check_rules(graph, options.hops)
    outdated = not options.plan and settle_documents(graph, check=True)
    return int(broken or outdated)


if __name__ == "__main__":
    sys.exit(main())
