"""The gate of the root and the modules: fails when something that users rely on goes, and leaves them no way over.

What is published stands in `terraform/published.json`: of each folder the addresses of its resources and of the modules
that it calls, its inputs and its outputs. `--publish` alone writes the file, before a release; what is new since then
may still change.

An address is part of every user's state: Terraform destroys what has one that is gone, unless a `moved` or a `removed`
block names it. An input or an output that is gone, or an input that is required now, is for a new major version, and
CHANGELOG.md has to name it under "Unreleased", as `queue.senders`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcl2

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PUBLISHED = "terraform/published.json"

# How often a block stands for a resource. Between these two Terraform moves what there is by itself.
ONE, COUNT, FOR_EACH = "one", "count", "for_each"
MOVED_BY_TERRAFORM = {ONE, COUNT}


@dataclass(frozen=True, slots=True)
class Interface:
    """What the users of a folder with Terraform files rely on.

    Attributes:
        addresses: What stands at each address: `one`, or many by `count` or `for_each`.
        inputs: Whether each input is required.
        outputs: Their names.
    """

    addresses: dict[str, str]
    inputs: dict[str, bool]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class Code:
    """A folder as it is.

    Attributes:
        interface: What its users rely on.
        moves: Where its `moved` blocks lead, by the address that they lead away from, both without indices.
        removals: The addresses that its `removed` blocks name.
    """

    interface: Interface
    moves: dict[str, str]
    removals: set[str]


def read(folder: Path) -> Code:
    """The Terraform files of a folder."""
    files = [hcl2.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.tf"))]

    def blocks(kind: str) -> Iterator[dict[str, Any]]:
        for file in files:
            yield from file.get(kind, [])

    addresses = {
        **{
            f"{_bare(kind)}.{_bare(name)}": _repetition(body)
            for block in blocks("resource")
            for kind, named in block.items()
            for name, body in named.items()
        },
        **{f"module.{_bare(name)}": _repetition(body) for block in blocks("module") for name, body in block.items()},
    }
    inputs = {_bare(name): "default" not in body for block in blocks("variable") for name, body in block.items()}
    outputs = [_bare(name) for block in blocks("output") for name in block]
    return Code(
        Interface(dict(sorted(addresses.items())), dict(sorted(inputs.items())), sorted(outputs)),
        {_address(block["from"]): _address(block["to"]) for block in blocks("moved")},
        {_address(block["from"]) for block in blocks("removed")},
    )


def read_all(root: Path) -> dict[str, Code]:
    """The root and the modules, by their folders."""
    folders = [root / "terraform", *sorted((root / "terraform" / "modules").iterdir())]
    return {folder.relative_to(root).as_posix(): read(folder) for folder in folders if folder.is_dir()}


def problems(code: Mapping[str, Code], published: Mapping[str, Interface], told: str) -> Iterator[str]:
    """Everything that leaves users without a way over, each with what to do about it.

    Args:
        code: The folders as they are.
        published: What was promised.
        told: What the changelog tells of what is not released yet.
    """
    for folder, promised in published.items():
        name = Path(folder).name
        if folder in code:
            yield from _lost_addresses(folder, promised, code[folder])
            broken = list(_broken(promised, code[folder].interface))
        else:
            broken = [("*", "the module is gone")]
        for what, how in broken:
            if f"`{name}.{what}`" not in told:
                yield (
                    f"{folder}: {how}, which breaks those who use it.\n"
                    f"  Take it back; or, for a new major version, say in CHANGELOG.md, under Unreleased,\n"
                    f"  what users of `{name}.{what}` have to do."
                )
    for folder, now in code.items():
        for source, to in now.moves.items():
            if to not in now.interface.addresses and to not in now.moves:
                yield f"{folder}: a moved block leads from {source} to {to}, which there is not."


def _lost_addresses(folder: str, promised: Interface, now: Code) -> Iterator[str]:
    for address, before in promised.addresses.items():
        after = now.interface.addresses.get(address)
        if after == before or {before, after} <= MOVED_BY_TERRAFORM:
            continue
        if address in now.moves or address in now.removals:
            continue
        if after is None:
            yield (
                f"{folder}: {address} is gone: Terraform would destroy what users have there.\n"
                f"  Renamed? Add: moved {{ from = {address}, to = <its new address> }}, on lines of their own.\n"
                f"  Given up? Add: removed {{ from = {address} }}, and whether to destroy it."
            )
        else:
            yield (
                f"{folder}: {address} is {after} now and was {before}: Terraform would replace what users have there.\n"
                f"  Add: moved {{ from = {address}, to = {address}[<its new key>] }}, on lines of their own."
            )


def _broken(promised: Interface, now: Interface) -> Iterator[tuple[str, str]]:
    """What a user's call of the module cannot do without, and how it was broken."""
    for name in promised.inputs.keys() - now.inputs.keys():
        yield name, f"input {name} is gone"
    for name, required in now.inputs.items():
        if required and not promised.inputs.get(name, False):
            yield name, f"input {name} is required now"
    for name in promised.outputs:
        if name not in now.outputs:
            yield name, f"output {name} is gone"


def unreleased(changelog: str) -> str:
    """What a changelog says under "Unreleased"."""
    found = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def unpublished(code: Mapping[str, Code], published: Mapping[str, Interface]) -> list[str]:
    """The folders that differ from what is published."""
    folders = sorted({*code, *published})
    return [folder for folder in folders if folder not in code or code[folder].interface != published.get(folder)]


def load_published(root: Path) -> dict[str, Interface]:
    """What was published, by folder."""
    content = json.loads((root / PUBLISHED).read_text(encoding="utf-8"))
    return {folder: Interface(**interface) for folder, interface in content.items()}


def save_published(root: Path, code: Mapping[str, Code]) -> None:
    """Promise what is there now."""
    content = {folder: asdict(now.interface) for folder, now in code.items()}
    (root / PUBLISHED).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _bare(label: str) -> str:
    """A block's label without the quotes that the parser leaves."""
    return label.strip('"')


def _repetition(body: Mapping[str, Any]) -> str:
    return next((kind for kind in (COUNT, FOR_EACH) if kind in body), ONE)


def _address(reference: str) -> str:
    """The address that a reference names, without indices."""
    return re.sub(r"\[[^]]*\]", "", reference.removeprefix("${").removesuffix("}"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the root and the modules, or publish them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--publish", action="store_true", help="promise to users what is there now")
    ways.add_argument("--released", action="store_true", help="fail, too, if anything is there that is not published")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds terraform/ and CHANGELOG.md")
    options = parser.parse_args(arguments)

    code = read_all(options.root)
    try:
        published = load_published(options.root)
    except FileNotFoundError as error:
        if not options.publish:
            print(f"{error.filename} is missing: restore it, it says what users rely on.", file=sys.stderr)
            return 1
        published = {}

    told = unreleased((options.root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if found := list(problems(code, published, told)):
        print("\n".join(found), file=sys.stderr)
        return 1

    pending = unpublished(code, published)
    if options.publish:
        save_published(options.root, code)
    if options.released and pending:
        print(f"not published: {', '.join(pending)}\n  Run this with --publish, commit, tag again.", file=sys.stderr)
        return 1
    print(f"The root and {len(code) - 1} modules keep what is published.")
    for folder in pending:
        print(f"  {folder}: " + ("published now." if options.publish else "has changes that --publish would promise."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
