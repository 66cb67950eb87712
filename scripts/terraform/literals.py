"""Literal values in Terraform's files, with the lines that they are on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TRANSPARENT = frozenset({"coalesce", "concat", "merge", "tolist", "tomap", "toset", "try"})
"""Functions whose result has the attributes of their arguments."""

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


def _entry(name: str | int | None, expression: Tree[Token]) -> Entry:
    return Entry(name, expression.meta.line, tuple(_values(expression)))


def _values(expression: Tree[Token]) -> Iterator[Value]:
    """Yield the objects and lists that an expression is, or may be."""
    node = unwrapped(expression)
    nodes = children(node)
    if node.data == "object":
        yield Object(Entry(key(element), element.meta.line, tuple(_values(children(element)[1]))) for element in nodes)
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
        name, arguments = call_parts(node)
        if name in TRANSPARENT:
            for argument in arguments:
                yield from _values(argument)


def key(element: Tree[Token]) -> str | None:
    """Return the key of an object's element, None if it is computed."""
    key = children(element)[0]
    while len(key.children) == 1 and isinstance(key.children[0], Tree):
        key = key.children[0]
    if key.data in ("identifier", "keyword", "literal_value"):
        return str(key.children[0])
    return text_of(key)


def text_of(expression: Tree[Token]) -> str | None:
    """Return a quoted string, None if it has anything but text."""
    node = unwrapped(expression)
    parts = children(node)
    if node.data != "string" or any(isinstance(part.children[0], Tree) for part in parts):
        return None
    return "".join(str(part.children[0]) for part in parts)


def read(file: Path) -> str:
    """Return the text of a file.

    Raises:
        ToolError: The file cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"{file}: cannot be read: {error}") from error


def parse(text: str, file: Path) -> Tree[Token]:
    """Return the syntax tree of HCL.

    Args:
        text: HCL.
        file: File that errors name.

    Raises:
        ToolError: The text is not valid.
    """
    try:
        return hcl2.parses_to_tree(text)
    except LarkError as error:
        raise ToolError(f"{file}:{getattr(error, 'line', 1)}: is not valid HCL: {error}") from error


def children(tree: Tree[Token]) -> list[Tree[Token]]:
    """Return the nodes directly below a node, without punctuation and comments."""
    return [child for child in tree.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]


def unwrapped(expression: Tree[Token]) -> Tree[Token]:
    """Return an expression without its wrapping nodes and parentheses."""
    while expression.data == "expr_term" and len(children(expression)) == 1:
        (expression,) = children(expression)
    return expression


def call_parts(call: Tree[Token]) -> tuple[str, list[Tree[Token]]]:
    """Return the name and the arguments of a function call."""
    name, *rest = children(call)
    return str(name.children[0]), children(rest[-1]) if rest and rest[-1].data == "arguments" else []


def _body(tree: Tree[Token]) -> Tree[Token]:
    return next(node for node in children(tree) if node.data == "body") if tree.data == "start" else tree


def blocks(tree: Tree[Token]) -> Iterator[tuple[str, list[str], Tree[Token]]]:
    """Yield the blocks directly in a file or in a block's body: keyword, labels, body."""
    for block in children(_body(tree)):
        if block.data == "block":
            keyword, *labels, body = children(block)
            yield str(keyword.children[0]), [text_of(one) or str(one.children[0]) for one in labels], body


def arguments(tree: Tree[Token]) -> Iterator[tuple[str, Tree[Token]]]:
    """Yield the arguments directly in a file or in a block's body: name, expression."""
    for attribute in children(_body(tree)):
        if attribute.data == "attribute":
            name, expression = children(attribute)
            yield str(name.children[0]), expression


def attributes(tree: Tree[Token]) -> list[Entry]:
    """Return the literal values of the arguments directly in a file or in a block's body."""
    return [_entry(name, expression) for name, expression in arguments(tree)]


def parse_json(text: str, file: Path) -> Object:
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
