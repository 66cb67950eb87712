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

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

from scripts.process.entry_point import ToolError, entry_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
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
TRANSPARENT = frozenset({"coalesce", "concat", "merge", "tolist", "tomap", "toset", "try"})
AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")

SOURCE = re.compile(r"//(?P<folder>terraform(/modules/\w+)?)(\?.*)?$")
FENCE = re.compile(r"^(?P<indent> *)```hcl\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
TYPE = re.compile(r"(object|map|list|set|tuple)\(|type ")
JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]')


@dataclass(frozen=True, slots=True)
class Entry:
    """A literal value inside another one.

    Attributes:
        name: Key or index, None if it is computed.
        line: Line of the file, from 1.
        values: The object or list that it is; several if a condition decides, none if it is anything else.
    """

    name: str | int | None
    line: int
    values: Sequence[Value]


class Object(tuple[Entry, ...]):
    """A literal object."""

    __slots__ = ()


class Items(tuple[Entry, ...]):
    """A literal list."""

    __slots__ = ()


Value = Object | Items


@dataclass(frozen=True, slots=True)
class Each:
    """The type of a map, list or set."""

    element: Type


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's type and its default."""

    type: Type
    default: Entry | None


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


# Files


def check(file: Path) -> Iterator[Finding]:
    """Yield the unknown names in a file.

    Args:
        file: A .tf, .tftest.hcl, .tfvars, .tfvars.json or .md file, by an absolute path.

    Raises:
        ToolError: The file cannot be parsed.
    """
    text = _text(file)
    if file.suffix == ".md":
        for fence in FENCE.finditer(text):
            body = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
            if not TYPE.match(body):  # a generated README shows types, too
                before = "\n" * (text.count("\n", 0, fence.start()) + 1)
                yield from _check_fence(file, _parse(before + body, file))
    elif file.suffix == ".json":
        yield from _check_names(file, _read_json(text, file), variables(_configured(file)))
    elif file.suffix == ".tfvars":
        yield from _check_names(file, _attributes(_parse(text, file)), variables(_configured(file)))
    elif file.name.endswith(".tftest.hcl"):
        yield from _check_test(file, _parse(text, file))
    else:
        yield from _check_configuration(file, _parse(text, file), file.parent)


def _check_fence(file: Path, tree: Tree[Token]) -> Iterator[Finding]:
    if any(_blocks(tree)):
        yield from _check_configuration(file, tree, None)
    else:
        yield from _check_names(file, _attributes(tree), variables(TERRAFORM))


def _check_configuration(file: Path, tree: Tree[Token], folder: Path | None) -> Iterator[Finding]:
    """Check module calls and defaults. Local sources are relative to the folder; without one they are skipped."""
    for kind, labels, body in _blocks(tree):
        if kind == "module" and (module := _source(body, folder)):
            given = [entry for entry in _attributes(body) if entry.name not in META_ARGUMENTS]
            yield from _check_names(file, given, variables(module), f"module.{labels[0]}.")
        elif kind == "variable":
            declared = _variable(body)
            if declared.default:
                yield from _check_entry(file, declared.default, declared.type, f"var.{labels[0]}")


def _check_test(file: Path, tree: Tree[Token]) -> Iterator[Finding]:
    """Check the values in a test. Terraform itself warns about unknown variables there."""
    tested = file.parent.parent if file.parent.name == "tests" else file.parent
    for kind, labels, body in _blocks(tree):
        blocks = list(_blocks(body)) if kind == "run" else [(kind, labels, body)]
        called = [_source(inner, tested) for name, _, inner in blocks if name == "module"]
        declared = variables((called and called[0]) or tested)
        for name, _, inner in blocks:
            if name == "variables":
                given = [entry for entry in _attributes(inner) if entry.name in declared]
                yield from _check_names(file, given, declared)


def _check_names(
    file: Path, given: Sequence[Entry], declared: Mapping[str, Variable], prefix: str = ""
) -> Iterator[Finding]:
    for entry in given:
        if entry.name in declared:
            yield from _check_entry(file, entry, declared[str(entry.name)].type, f"{prefix}{entry.name}")
        else:
            yield Finding(file, entry.line, f"{prefix}{entry.name} is not a variable. {_advice(entry.name, declared)}")


def _check_entry(file: Path, entry: Entry, kind: Type, path: str) -> Iterator[Finding]:
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
    source = next((_literal_text(expression) for name, expression in _arguments(body) if name == "source"), None) or ""
    if source.startswith("."):
        module = (folder / source).resolve() if folder else None
    else:
        found = SOURCE.search(source)
        module = ROOT / found["folder"] if found else None
    return module if module and module.is_dir() else None


# Variables and their types


@cache
def variables(folder: Path) -> dict[str, Variable]:
    """Return the variables that the Terraform files of a folder declare."""
    return {
        labels[0]: _variable(body)
        for file in sorted(folder.glob("*.tf"))
        for kind, labels, body in _blocks(_parse(_text(file), file))
        if kind == "variable"
    }


def _variable(body: Tree[Token]) -> Variable:
    kinds = [_type(expression) for name, expression in _arguments(body) if name == "type"]
    defaults = [entry for entry in _attributes(body) if entry.name == "default"]
    return Variable(kinds[0] if kinds else None, defaults[0] if defaults else None)


def _type(expression: Tree[Token]) -> Type:
    call = _inner(expression)
    if call.data != "function_call":
        return None
    name, arguments = _function(call)
    if name in ("list", "map", "set"):
        return Each(_type(arguments[0]))
    if name == "optional":
        return _type(arguments[0])
    inner = _inner(arguments[0])
    if name == "object":
        return {str(_key(element)): _type(_nodes(element)[1]) for element in _nodes(inner)}
    return [_type(element) for element in _nodes(inner)]  # a tuple


# Literal values


def _entry(name: str | int | None, expression: Tree[Token]) -> Entry:
    return Entry(name, expression.meta.line, tuple(_values(expression)))


def _values(expression: Tree[Token]) -> Iterator[Value]:
    """Yield the objects and lists that an expression is, or may be."""
    node = _inner(expression)
    nodes = _nodes(node)
    if node.data == "object":
        yield Object(Entry(_key(element), element.meta.line, tuple(_values(_nodes(element)[1]))) for element in nodes)
    elif node.data == "tuple":
        yield Items(_entry(index, element) for index, element in enumerate(nodes))
    elif node.data == "conditional":
        for branch in nodes[1:]:
            yield from _values(branch)
    elif node.data == "for_tuple_expr":
        yield Items((_entry(None, nodes[1]),))
    elif node.data == "for_object_expr":
        yield Object((_entry(None, nodes[2]),))
    elif node.data == "function_call":
        name, arguments = _function(node)
        if name in TRANSPARENT:
            for argument in arguments:
                yield from _values(argument)


def _key(element: Tree[Token]) -> str | None:
    """Return the key of an object's element, None if it is computed."""
    key = _nodes(element)[0]
    while len(key.children) == 1 and isinstance(key.children[0], Tree):
        key = key.children[0]
    if key.data in ("identifier", "keyword", "literal_value"):
        return str(key.children[0])
    return _literal_text(key)


def _literal_text(expression: Tree[Token]) -> str | None:
    """Return a quoted string, None if it has anything but text."""
    node = _inner(expression)
    parts = _nodes(node)
    if node.data != "string" or any(isinstance(part.children[0], Tree) for part in parts):
        return None
    return "".join(str(part.children[0]) for part in parts)


# Syntax trees


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"{file}: cannot be read: {error}") from error


def _parse(text: str, file: Path) -> Tree[Token]:
    try:
        return hcl2.parses_to_tree(text)
    except LarkError as error:
        raise ToolError(f"{file}:{getattr(error, 'line', 1)}: is not valid HCL: {error}") from error


def _nodes(tree: Tree[Token]) -> list[Tree[Token]]:
    """Return the nodes directly below a node, without punctuation and comments."""
    return [child for child in tree.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]


def _inner(expression: Tree[Token]) -> Tree[Token]:
    """Return an expression without its wrapping nodes and parentheses."""
    while expression.data == "expr_term" and len(_nodes(expression)) == 1:
        (expression,) = _nodes(expression)
    return expression


def _function(call: Tree[Token]) -> tuple[str, list[Tree[Token]]]:
    name, *rest = _nodes(call)
    return str(name.children[0]), _nodes(rest[-1]) if rest and rest[-1].data == "arguments" else []


def _body(tree: Tree[Token]) -> Tree[Token]:
    return next(node for node in _nodes(tree) if node.data == "body") if tree.data == "start" else tree


def _blocks(tree: Tree[Token]) -> Iterator[tuple[str, list[str], Tree[Token]]]:
    """Yield the blocks directly in a file or in a block's body: keyword, labels, body."""
    for block in _nodes(_body(tree)):
        if block.data == "block":
            keyword, *labels, body = _nodes(block)
            yield str(keyword.children[0]), [_literal_text(one) or str(one.children[0]) for one in labels], body


def _arguments(tree: Tree[Token]) -> Iterator[tuple[str, Tree[Token]]]:
    for attribute in _nodes(_body(tree)):
        if attribute.data == "attribute":
            name, expression = _nodes(attribute)
            yield str(name.children[0]), expression


def _attributes(tree: Tree[Token]) -> list[Entry]:
    return [_entry(name, expression) for name, expression in _arguments(tree)]


# JSON


def _read_json(text: str, file: Path) -> Object:
    """Return the object in a JSON text, with lines."""
    try:
        valid = isinstance(json.loads(text), dict)
    except ValueError as error:
        raise ToolError(f"{file}: is not valid JSON: {error}") from error
    if not valid:
        raise ToolError(f"{file}:1: has to be a JSON object")
    tokens = [(token[0], text.count("\n", 0, token.start()) + 1) for token in JSON_TOKEN.finditer(text)]
    tokens.reverse()
    (value,) = _json_values(tokens)
    assert isinstance(value, Object)  # noqa: S101 - as tested above
    return value


def _json_values(tokens: list[tuple[str, int]]) -> tuple[Value, ...]:
    """Take a value from the end of valid JSON's tokens, which are in reverse order."""
    opened, _ = tokens.pop()
    if opened not in "{[":
        while tokens and tokens[-1][0] not in ",]}":  # the other characters of a number or a word
            tokens.pop()
        return ()
    entries: list[Entry] = []
    while tokens[-1][0] not in "]}":
        line = tokens[-1][1]
        name: str | int = len(entries)
        if opened == "{":
            name = json.loads(tokens.pop()[0])
            tokens.pop()  # the colon
        entries.append(Entry(name, line, _json_values(tokens)))
        if tokens[-1][0] == ",":
            tokens.pop()
    tokens.pop()
    return (Object(entries) if opened == "{" else Items(entries),)


# The command


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
