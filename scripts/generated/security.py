"""Write the permissions of each role into docs/security.md, from the policy documents in Terraform's files.

They are between `<!-- roles -->` and `<!-- /roles -->`; the other text is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hcl2

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "security.md"
BLOCK = re.compile(r"(<!-- roles -->\n).*?(<!-- /roles -->)", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """A statement of a policy document, with its expressions as in the file."""

    sid: str
    effect: str
    actions: str
    resources: str
    condition: str


def policy_documents(file: Path) -> Iterator[tuple[str, list[Statement]]]:
    """Yield the policy documents of a file that are for roles: those without principals."""
    for block in hcl2.loads(file.read_text(encoding="utf-8")).get("data", []):
        for kind, named in block.items():
            if kind.strip('"') != "aws_iam_policy_document":
                continue
            for name, document in named.items():
                statements = list(_statements(document))
                if statements and not any("principals" in statement for statement in statements):
                    yield name.strip('"'), [_read(statement) for statement in statements]


def _statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the static statements, then the dynamic ones."""
    yield from document.get("statement", [])
    for dynamic in document.get("dynamic", []):
        for kind, block in dynamic.items():
            if kind.strip('"') == "statement":
                yield from ({**content, "if": block["for_each"]} for content in block["content"])


def _read(statement: dict[str, Any]) -> Statement:
    conditions = [
        f"`{_plain(one['test'])}` `{_plain(one['variable'])}` {_list(one['values'])}"
        for one in statement.get("condition", [])
    ]
    if "if" in statement:
        conditions.insert(0, f"for each of {_list(statement['if'])}")
    return Statement(
        sid=_plain(statement.get("sid", "")),
        effect=_plain(statement.get("effect", "Allow")),
        actions=_list(statement["actions"]),
        resources=_list(statement["resources"]),
        condition="; ".join(conditions),
    )


def _plain(value: str) -> str:
    """Return a string without its quotation marks, or an expression without its braces."""
    if value.startswith('"') and value.endswith('"'):
        return value[1:-1]
    whole = re.fullmatch(r"\$\{(.*)\}", value, re.DOTALL)
    return whole[1] if whole else value


def _list(values: str | list[str]) -> str:
    found = [values] if isinstance(values, str) else values
    return "<br>".join(f"`{_plain(value)}`".replace("|", "\\|") for value in found)


def render(page: str) -> str:
    """Return the document with an updated block of roles."""
    if not BLOCK.search(page):
        raise ValueError(f"{PAGE} has no block <!-- roles --> … <!-- /roles -->")
    files = [*sorted((ROOT / "terraform").glob("*.tf")), *sorted((ROOT / "terraform" / "modules").glob("*/*.tf"))]
    text = []
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        for name, statements in policy_documents(file):
            text.append(f"\n**`{name}`** in [{path}](../{path})\n\n| | may | on | if |\n|---|---|---|---|\n")
            for one in statements:
                head = one.sid if one.effect == "Allow" else f"{one.sid}, **denied**"
                text.append(f"| {head} | {one.actions} | {one.resources} | {one.condition} |\n")
    return BLOCK.sub(lambda found: f"{found[1]}{''.join(text)}\n{found[2]}", page)


def documents() -> Iterator[tuple[Path, str]]:
    """Yield the document and its text."""
    yield PAGE, render(PAGE.read_text(encoding="utf-8"))
