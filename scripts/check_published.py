"""Fail if a change breaks users: consumers of the published events, or users of the root and the Terraform modules.

What is published is recorded in files, `events/published.json` and `terraform/published.json`, not in tags: a shallow
clone and a downloaded archive have no history. Only `--publish` writes them, before a release. What is not in them may
still change. The diff of these files is what a reviewer looks at.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.process.entry_point import entry_point
from scripts.release import contracts, modules

if TYPE_CHECKING:
    from collections.abc import Sequence

SUBJECTS = {"contracts": contracts, "modules": modules}


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Compare with what is published, or publish; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"{' or '.join(SUBJECTS)} (default: both)")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--publish", action="store_true", help="record what is there now as published")
    ways.add_argument("--released", action="store_true", help="fail also if something is not published")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder with events/, terraform/ and CHANGELOG.md")
    options = parser.parse_args(arguments)
    if unknown := set(options.subjects) - SUBJECTS.keys():
        parser.error(f"no such subject: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    outcomes = [_settle(name, options) for name in options.subjects or SUBJECTS]
    return int(not all(outcomes))


def _settle(name: str, options: argparse.Namespace) -> bool:
    """Compare one subject, and publish it if that is wanted; return True if nothing is wrong."""
    file = options.root / SUBJECTS[name].PUBLISHED
    if not file.exists() and not options.publish:
        print(f"{file} is missing: restore it; it records what users rely on.", file=sys.stderr)
        return False
    published = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    review = SUBJECTS[name].review(options.root, published)
    if review.problems:
        print("\n".join(review.problems), file=sys.stderr)
        return False
    if options.publish:
        file.write_text(json.dumps(review.content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.released and review.pending:
        print(f"not published: {', '.join(review.pending)}", file=sys.stderr)
        print("  Run this with --publish, commit, and tag again.", file=sys.stderr)
        return False
    print(f"{review.subject} keep what is published.")
    for changed in review.pending:
        print(f"  {changed}: " + ("published now." if options.publish else "has changes that --publish would record."))
    return True


if __name__ == "__main__":
    sys.exit(main())
