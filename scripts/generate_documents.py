"""Write the documents that are generated from code, or check that they are up to date.

They are docs/api.md, docs/cost.md, docs/events.md, the permissions in docs/security.md, examples, inputs and outputs in
the READMEs of Terraform's root and modules, and the hashes in the try page's Content-Security-Policy.
`document_architecture.py` draws the diagrams.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from scripts.generated import api, cost, events, modules, security, try_page
from scripts.generated.documents import settle
from scripts.process.entry_point import entry_point

if TYPE_CHECKING:
    from collections.abc import Sequence

GENERATORS = {
    "api": api.documents,
    "cost": cost.documents,
    "events": events.documents,
    "modules": modules.documents,
    "security": security.documents,
    "try_page": try_page.documents,
}


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the documents, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(GENERATORS)} (default: all)")
    parser.add_argument("--check", action="store_true", help="fail if a document is out of date")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - GENERATORS.keys():
        parser.error(f"there is no document {', '.join(sorted(unknown))}; there are {', '.join(GENERATORS)}")
    current = [
        settle(file, wanted, check=options.check)
        for name in options.names or GENERATORS
        for file, wanted in GENERATORS[name]()
    ]
    return int(not all(current))


if __name__ == "__main__":
    sys.exit(main())
