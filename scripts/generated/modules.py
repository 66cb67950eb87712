"""Write example, inputs and outputs into the READMEs of Terraform modules, from their code.

They are between comments such as `<!-- inputs -->` and `<!-- /inputs -->`; the other text is kept. The comment of an
example, `<!-- example: rule_to_queue -->`, names its folder in `examples/`.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import hcl2
from lark import Token, Tree

from scripts import ROOT
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TERRAFORM = ROOT / "terraform"

# Source of a module for another project; the reader replaces the placeholders.
SOURCE = "git::https://github.com/<owner>/darkroom.git//terraform/modules/{module}?ref=<tag>"

NONE = "None.\n"

BLOCK = re.compile(
    r"(?P<start><!-- (?P<name>example|inputs|outputs)(?:: (?P<argument>\w+))? -->\n)"
    r".*?"
    r"(?P<end><!-- /(?P=name) -->)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable or an output: its name and the source of its arguments."""

    name: str
    arguments: Mapping[str, str]

    @property
    def description(self) -> str:
        """Return the description as one line of text, empty if there is none."""
        source = self.arguments.get("description", '""')
        text = " ".join(source.splitlines()[1:-1]) if source.startswith("<<") else json.loads(source)
        return " ".join(text.split())


def declarations(file: Path, kind: str) -> list[Declaration]:
    """Return the blocks `kind "name" { … }` of a file in order, or none if the file does not exist."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    blocks = (_parts(block) for block in _children(hcl2.parses_to_tree(text), "block"))
    return [
        Declaration(json.loads(_source(label, text)), dict(_arguments(body, text)))
        for keyword, label, body in blocks
        if _source(keyword, text) == kind
    ]


def _children(tree: Tree[Token], kind: str) -> Iterator[Tree[Token]]:
    """Yield the nearest nodes of a kind below a node."""
    for child in tree.children:
        if isinstance(child, Tree):
            if child.data == kind:
                yield child
            elif child.data in ("start", "body"):
                yield from _children(child, kind)


def _parts(node: Tree[Token]) -> list[Tree[Token]]:
    """Return a node's parts without punctuation: keyword, label and body, or name and value."""
    return [child for child in node.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]


def _arguments(body: Tree[Token], text: str) -> Iterator[tuple[str, str]]:
    for name, value in map(_parts, _children(body, "attribute")):
        yield _source(name, text), _source(value, text)


def _source(node: Tree[Token], text: str) -> str:
    """Return a node's source, with comments, without its indentation."""
    first, *rest = text[node.meta.start_pos : node.meta.end_pos].splitlines()
    return "\n".join([first, *(line.removeprefix("  ") for line in rest)])


def render(readme: Path) -> str:
    """Return the README with updated blocks.

    Args:
        readme: README.md in the folder of a Terraform module or of the root.

    Raises:
        ToolError: The README, a block or an example is missing, or a description is.
    """
    folder = readme.parent
    if not readme.exists():
        raise ToolError(f"{readme} is missing")
    text = readme.read_text(encoding="utf-8")
    found = [match["name"] for match in BLOCK.finditer(text)]
    # The root needs no example.
    for name in ["example", "inputs", "outputs"] if folder.parent.name == "modules" else ["inputs", "outputs"]:
        if found.count(name) != 1:
            raise ToolError(f"{readme}: {found.count(name)} blocks <!-- {name} --> … <!-- /{name} -->, not 1")

    def fill(match: re.Match[str]) -> str:
        if match["name"] == "example":
            content = _example(folder, match["argument"])
        elif match["name"] == "inputs":
            content = "\n".join(map(_input, _described(folder / "variables.tf", "variable")))
        else:
            content = "".join(map(_output, _described(folder / "outputs.tf", "output")))
        return f"{match['start']}\n{content or NONE}\n{match['end']}"

    return BLOCK.sub(fill, text)


def _described(file: Path, kind: str) -> list[Declaration]:
    found = declarations(file, kind)
    for declaration in found:
        if not declaration.description:
            raise ToolError(f'{file}: {kind} "{declaration.name}" has no description')
    return found


def _example(folder: Path, name: str | None) -> str:
    file = folder / "examples" / str(name) / "main.tf"
    if not file.exists():
        raise ToolError(f"{folder / 'README.md'}: there is no example {file}")
    code = _code(file.read_text(encoding="utf-8").rstrip())
    return f"{code}\nIn another project, `source` is `{SOURCE.format(module=folder.name)}`.\n"


def _input(variable: Declaration) -> str:
    kind, default = variable.arguments.get("type", "any"), variable.arguments.get("default", "")
    long = {name: source for name, source in (("type", kind), ("default", default)) if "\n" in source}
    facts = [
        *([] if "type" in long else [f"`{kind}`"]),
        *([] if default else ["required"]),
        *([f"default `{default}`"] if default and "default" not in long else []),
    ]
    about = f" ({', '.join(facts)})" if facts else ""
    line = f"- **`{variable.name}`**{about}: {_prose(variable.description)}\n"
    if not long:
        return line
    code = kind if list(long) == ["type"] else "\n\n".join(f"{name} = {long[name]}" for name in long)
    return f"{line}\n{textwrap.indent(_code(code), '  ')}"


def _output(output: Declaration) -> str:
    return f"- **`{output.name}`**: {_prose(output.description)}\n"


def _code(source: str) -> str:
    return f"```hcl\n{source}\n```\n"


def _prose(text: str) -> str:
    """Escape text for Markdown: `<name>` is not a tag, and `*` not emphasis."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<*])", r"\\\1", part) for part in parts)


def readmes() -> list[Path]:
    """Return the READMEs of the root, if it has one, and of every module, also missing ones."""
    root = TERRAFORM / "README.md"
    modules = sorted(folder for folder in (TERRAFORM / "modules").iterdir() if folder.is_dir())
    return [*([root] if root.exists() else []), *(folder / "README.md" for folder in modules)]


def documents() -> Iterator[tuple[Path, str]]:
    """Yield each README and its text."""
    for readme in readmes():
        yield readme, render(readme)
