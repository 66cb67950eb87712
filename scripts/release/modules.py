"""Compare the root and the modules with the published ones: users must be able to upgrade.

The record holds, for each folder, the addresses of its resources and module calls, its inputs and its outputs. An
address is part of every user's state: if it is gone, Terraform destroys the resource, unless a `moved` or a `removed`
block names it. Removing an input or an output, or requiring an input, needs a new major version, and CHANGELOG.md must
name it under "Unreleased", as `queue.senders`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcl2

from scripts.release.review import Review

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PUBLISHED = "terraform/published.json"

# How often a block declares a resource. Terraform moves resources between the first two automatically.
ONE, COUNT, FOR_EACH = "one", "count", "for_each"
MOVED_BY_TERRAFORM = {ONE, COUNT}


@dataclass(frozen=True, slots=True)
class Interface:
    """Interface of a folder with Terraform files.

    Attributes:
        addresses: Form of each address: `one`, or several by `count` or `for_each`.
        inputs: True for each required input.
        outputs: Their names.
    """

    addresses: dict[str, str]
    inputs: dict[str, bool]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class Code:
    """Current state of a folder.

    Attributes:
        interface: Interface for its users.
        moves: Targets of its `moved` blocks by source, both without indices.
        removals: The addresses that its `removed` blocks name.
    """

    interface: Interface
    moves: dict[str, str]
    removals: set[str]


def review(root: Path, published: Mapping[str, Any]) -> Review:
    """Compare the root and the modules of a repository with what is published."""
    code = read_all(root)
    promised = {folder: Interface(**interface) for folder, interface in published.items()}
    changelog = unreleased((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if found := list(problems(code, promised, changelog)):
        return Review(problems=found)
    return Review(
        pending=unpublished(code, promised),
        content={folder: asdict(now.interface) for folder, now in code.items()},
        subject=f"The root and {len(code) - 1} modules",
    )


def read(folder: Path) -> Code:
    """Read the Terraform files of a folder."""
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
    """Read the root and the modules; return them by folder."""
    folders = [root / "terraform", *sorted((root / "terraform" / "modules").iterdir())]
    return {folder.relative_to(root).as_posix(): read(folder) for folder in folders if folder.is_dir()}


def problems(code: Mapping[str, Code], published: Mapping[str, Interface], changelog: str) -> Iterator[str]:
    """Yield everything that breaks users, each with what to do about it.

    Args:
        code: The folders as they are.
        published: Published interface.
        changelog: The changelog's section of unreleased changes.
    """
    for folder, promised in published.items():
        name = Path(folder).name
        if folder in code:
            yield from _lost_addresses(folder, promised, code[folder])
            broken = list(_broken(promised, code[folder].interface))
        else:
            broken = [("*", "the module is missing")]
        for what, how in broken:
            if f"`{name}.{what}`" not in changelog:
                yield (
                    f"{folder}: {how}, which breaks those who use it.\n"
                    f"  Take it back; or, for a new major version, say in CHANGELOG.md, under Unreleased,\n"
                    f"  what users of `{name}.{what}` have to do."
                )
    for folder, now in code.items():
        for source, to in now.moves.items():
            if to not in now.interface.addresses and to not in now.moves:
                yield f"{folder}: a moved block leads from {source} to {to}, which does not exist."


def _lost_addresses(folder: str, promised: Interface, now: Code) -> Iterator[str]:
    for address, before in promised.addresses.items():
        after = now.interface.addresses.get(address)
        if after == before or {before, after} <= MOVED_BY_TERRAFORM:
            continue
        if address in now.moves or address in now.removals:
            continue
        if after is None:
            yield (
                f"{folder}: {address} is missing: Terraform would destroy the resources of users.\n"
                f"  Renamed? Add: moved {{ from = {address}, to = <its new address> }}, on lines of their own.\n"
                f"  Removed on purpose? Add: removed {{ from = {address} }}, and whether to destroy it."
            )
        else:
            yield (
                f"{folder}: {address} is {after} now and was {before}: Terraform would replace what users have there.\n"
                f"  Add: moved {{ from = {address}, to = {address}[<its new key>] }}, on lines of their own."
            )


def _broken(promised: Interface, now: Interface) -> Iterator[tuple[str, str]]:
    """Yield each input or output that a user's call needs, and how it was broken."""
    for name in promised.inputs.keys() - now.inputs.keys():
        yield name, f"input {name} is missing"
    for name, required in now.inputs.items():
        if required and not promised.inputs.get(name, False):
            yield name, f"input {name} is required now"
    for name in promised.outputs:
        if name not in now.outputs:
            yield name, f"output {name} is missing"


def unreleased(changelog: str) -> str:
    """Return the section "Unreleased" of a changelog."""
    found = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def unpublished(code: Mapping[str, Code], published: Mapping[str, Interface]) -> list[str]:
    """Return the folders that differ from what is published."""
    folders = sorted({*code, *published})
    return [folder for folder in folders if folder not in code or code[folder].interface != published.get(folder)]


def _bare(label: str) -> str:
    """Return a block's label without the quotes that the parser leaves."""
    return label.strip('"')


def _repetition(body: Mapping[str, Any]) -> str:
    return next((kind for kind in (COUNT, FOR_EACH) if kind in body), ONE)


def _address(reference: str) -> str:
    """Return the address that a reference names, without indices."""
    return re.sub(r"\[[^]]*\]", "", reference.removeprefix("${").removesuffix("}"))
