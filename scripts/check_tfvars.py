"""Report attributes that Terraform would drop from values of variables without a message.

Terraform converts a value to its variable's type. An attribute that an object type does not have, such as a
misspelled one, is removed in that conversion. Terraform reports nothing, and the default applies.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.process.entry_point import ToolError, entry_point
from scripts.terraform import literals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lark import Token, Tree

TERRAFORM = ROOT / "terraform"

EPILOG = """\
Without a PATH, the files that Terraform loads in terraform/ (terraform.tfvars, *.auto.tfvars, both also with .json)
and everything in this repository that sets variables are checked.

A .tfvars file is compared with the variables of its own folder, or of terraform/ if its folder has no .tf file.
A module call is compared with the module in this checkout, by a local source or by one that ends in
//terraform/modules/<module> or //terraform.

Only what is written literally can be checked: objects, lists, both sides of a condition, results of for expressions,
and arguments of merge, concat, coalesce, try, tolist, tomap and toset. A reference such as var.settings, any other
function, a computed key and *.tf.json are skipped.

exit status: 0 nothing found, 1 something found or a file cannot be read, 2 wrong usage
"""

META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "providers", "source", "version"})
AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")

SOURCE = re.compile(r"//(?P<folder>terraform(/modules/\w+)?)(\?.*)?$")
FENCE = re.compile(r"^(?P<indent> *)```hcl\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
TYPE = re.compile(r"(object|map|list|set|tuple)\(|type ")


@dataclass(frozen=True, slots=True)
class Each:
    """The type of a map, list or set."""

    element: Type


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's type and its default."""

    type: Type
    default: literals.Entry | None


# An object's attributes, a tuple's elements, what a collection holds, or a type without names.
Type = dict[str, "Type"] | list["Type"] | Each | None


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """An unknown name in a file."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        """Return it as a compiler would print it."""
        path = self.file.relative_to(Path.cwd()) if self.file.is_relative_to(Path.cwd()) else self.file
        return f"{path}:{self.line}: {self.message}"


def check(file: Path) -> Iterator[Finding]:
    """Yield the unknown names in a file.

    Args:
        file: A .tf, .tftest.hcl, .tfvars, .tfvars.json or .md file, by an absolute path.

    Raises:
        ToolError: The file cannot be parsed.
    """
    text = literals.read(file)
    if file.suffix == ".md":
        for fence in FENCE.finditer(text):
            body = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
            if not TYPE.match(body):  # a generated README shows types, too
                before = "\n" * (text.count("\n", 0, fence.start()) + 1)
                yield from _check_fence(file, literals.parse(before + body, file))
    elif file.suffix == ".json":
        yield from _check_names(file, literals.parse_json(text, file), variables(_configured(file)))
    elif file.suffix == ".tfvars":
        yield from _check_names(file, literals.attributes(literals.parse(text, file)), variables(_configured(file)))
    elif file.name.endswith(".tftest.hcl"):
        yield from _check_test(file, literals.parse(text, file))
    else:
        yield from _check_configuration(file, literals.parse(text, file), file.parent)


def _check_fence(file: Path, tree: Tree[Token]) -> Iterator[Finding]:
    if any(literals.blocks(tree)):
        yield from _check_configuration(file, tree, None)
    else:
        yield from _check_names(file, literals.attributes(tree), variables(TERRAFORM))


def _check_configuration(file: Path, tree: Tree[Token], folder: Path | None) -> Iterator[Finding]:
    """Check module calls and defaults. Local sources are relative to the folder; without one they are skipped."""
    for kind, labels, body in literals.blocks(tree):
        if kind == "module" and (module := _source(body, folder)):
            given = [entry for entry in literals.attributes(body) if entry.name not in META_ARGUMENTS]
            yield from _check_names(file, given, variables(module), f"module.{labels[0]}.")
        elif kind == "variable":
            declared = _variable(body)
            if declared.default:
                yield from _check_entry(file, declared.default, declared.type, f"var.{labels[0]}")


def _check_test(file: Path, tree: Tree[Token]) -> Iterator[Finding]:
    """Check the values in a test. Terraform itself warns about unknown variables there."""
    tested = file.parent.parent if file.parent.name == "tests" else file.parent
    for kind, labels, body in literals.blocks(tree):
        blocks = list(literals.blocks(body)) if kind == "run" else [(kind, labels, body)]
        called = [_source(inner, tested) for name, _, inner in blocks if name == "module"]
        declared = variables((called and called[0]) or tested)
        for name, _, inner in blocks:
            if name == "variables":
                given = [entry for entry in literals.attributes(inner) if entry.name in declared]
                yield from _check_names(file, given, declared)


def _check_names(
    file: Path, given: Sequence[literals.Entry], declared: Mapping[str, Variable], prefix: str = ""
) -> Iterator[Finding]:
    for entry in given:
        if entry.name in declared:
            yield from _check_entry(file, entry, declared[str(entry.name)].type, f"{prefix}{entry.name}")
        else:
            yield Finding(file, entry.line, f"{prefix}{entry.name} is not a variable. {_advice(entry.name, declared)}")


def _check_entry(file: Path, entry: literals.Entry, kind: Type, path: str) -> Iterator[Finding]:
    for value in entry.values:
        for inner in value:
            below = f"{path}.{inner.name}" if isinstance(kind, dict) else f"{path}[{_index(inner.name)}]"
            if isinstance(kind, Each):
                yield from _check_entry(file, inner, kind.element, below)
            elif isinstance(kind, list) and isinstance(inner.name, int) and inner.name < len(kind):
                yield from _check_entry(file, inner, kind[inner.name], below)
            elif isinstance(kind, dict) and isinstance(inner.name, str):
                if inner.name in kind:
                    yield from _check_entry(file, inner, kind[inner.name], below)
                else:
                    message = f"{below} is not an attribute of {path}, so Terraform ignores it."
                    yield Finding(file, inner.line, f"{message} {_advice(inner.name, kind)}")


def _index(name: str | int | None) -> str:
    return "*" if name is None else json.dumps(name, ensure_ascii=False)


def _advice(name: str | int | None, known: Mapping[str, object]) -> str:
    if near := difflib.get_close_matches(str(name), known, 1):
        return f"Did you mean {near[0]}?"
    return f"Use one of {', '.join(sorted(known))}." if known else "There is none: remove it."


def _configured(file: Path) -> Path:
    return file.parent if any(file.parent.glob("*.tf")) else TERRAFORM


def _source(body: Tree[Token], folder: Path | None) -> Path | None:
    """Return the folder of the module that a call names, None if it is not here."""
    sources = (value for name, value in literals.arguments(body) if name == "source")
    source = next(map(literals.text_of, sources), None) or ""
    if source.startswith("."):
        module = (folder / source).resolve() if folder else None
    else:
        found = SOURCE.search(source)
        module = ROOT / found["folder"] if found else None
    return module if module and module.is_dir() else None


@cache
def variables(folder: Path) -> dict[str, Variable]:
    """Return the variables that the Terraform files of a folder declare."""
    return {
        labels[0]: _variable(body)
        for file in sorted(folder.glob("*.tf"))
        for kind, labels, body in literals.blocks(literals.parse(literals.read(file), file))
        if kind == "variable"
    }


def _variable(body: Tree[Token]) -> Variable:
    kinds = [_type(expression) for name, expression in literals.arguments(body) if name == "type"]
    defaults = [entry for entry in literals.attributes(body) if entry.name == "default"]
    return Variable(kinds[0] if kinds else None, defaults[0] if defaults else None)


def _type(expression: Tree[Token]) -> Type:
    call = literals.unwrapped(expression)
    if call.data != "function_call":
        return None
    name, arguments = literals.call_parts(call)
    if name in ("list", "map", "set"):
        return Each(_type(arguments[0]))
    if name == "optional":
        return _type(arguments[0])
    inner = literals.unwrapped(arguments[0])
    if name == "object":
        elements = literals.children(inner)
        return {str(literals.key(element)): _type(literals.children(element)[1]) for element in elements}
    return [_type(element) for element in literals.children(inner)]  # a tuple


def files(path: Path) -> Iterator[Path]:
    """Yield the files to check at a path: the file, or a folder's configuration with what Terraform loads there."""
    if path.is_dir():
        for pattern in ("*.tf", "*.tftest.hcl", *AUTOMATIC):
            for file in sorted(path.rglob(pattern)):
                if not any(part.startswith(".") for part in file.relative_to(path).parts):
                    yield file
    else:
        yield path


def own_files() -> Iterator[Path]:
    """Yield the files of this repository that set variables."""
    yield from files(TERRAFORM)
    yield from files(ROOT / "tests")
    yield from sorted(ROOT.glob("*.md"))
    for folder in (ROOT / "docs", TERRAFORM):
        yield from (file for file in sorted(folder.rglob("*.md")) if ".terraform" not in file.parts)


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Report unknown names and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="check_tfvars.py",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a .tfvars, .tfvars.json, .tf, .tftest.hcl or .md file, or a folder",
    )
    options = parser.parse_args(arguments)
    for path in options.paths:
        if not path.exists():
            parser.error(f"{path} does not exist")
    checked = [file for path in options.paths for file in files(path.resolve())] or list(own_files())
    found: list[Finding | ToolError] = []
    for file in dict.fromkeys(checked):
        try:
            found.extend(check(file))
        except ToolError as error:
            found.append(error)
    for finding in found:
        print(finding, file=sys.stderr)
    print(f"{len(checked)} files checked, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
