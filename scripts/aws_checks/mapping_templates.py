"""Expand mapping templates of API Gateway: all outcomes of their conditions, with placeholders for references.

The result has each request that a template can make. The syntax of Velocity's expressions is not checked here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACEHOLDER = "\N{REPLACEMENT CHARACTER}"

_COMMENT = re.compile(r"##[^\n]*\n?")
_DIRECTIVE = re.compile(r"#(?:(set|if|elseif|foreach)\s*\(|(else|end)\b|\{(else|end)\})")
_REFERENCE = re.compile(r"\$!?(\{)?[A-Za-z_][\w-]*")


class TemplateError(Exception):
    """A template's directives do not match; the message names the directive."""


def expand(template: str) -> list[str]:
    """Return the texts that a template can become, each once.

    Raises:
        TemplateError: A directive has no end, or an end has no beginning.
    """
    pieces = list(_pieces(_COMMENT.sub("", template)))
    texts, rest = _block(pieces, 0)
    if rest != len(pieces):
        raise TemplateError(f"#{pieces[rest][0]} without a beginning")
    return list(dict.fromkeys(texts))


def assignments(template: str) -> list[tuple[str, str]]:
    """Return the assignments of a template, in order: the reference without its dollar, and the expression."""
    found = []
    for kind, text in _pieces(_COMMENT.sub("", template)):
        if kind == "set":
            name, _, value = text.partition("=")
            found.append((name.strip().lstrip("$"), value.strip()))
    return found


def _pieces(template: str) -> Iterator[tuple[str, str]]:
    """Yield texts and directives in order, directives with the text in their parentheses."""
    position = 0
    while directive := _DIRECTIVE.search(template, position):
        yield "text", _without_references(template[position : directive.start()])
        if directive[1]:
            end = _closing(template, directive.end() - 1)
            yield directive[1], template[directive.end() : end - 1]
            position = end
        else:
            yield directive[2] or directive[3], ""
            position = directive.end()
    yield "text", _without_references(template[position:])


def _block(pieces: list[tuple[str, str]], position: int) -> tuple[list[str], int]:
    """Return the texts from a position to the end of its block, and the position of that end."""
    texts = [""]
    while position < len(pieces):
        kind, text = pieces[position]
        if kind in {"else", "elseif", "end"}:
            break
        position += 1
        if kind == "text":
            texts = [one + text for one in texts]
        elif kind in {"if", "foreach"}:
            ways, position = _ways(pieces, position)
            texts = [one + way for one in texts for way in ways]
    return texts, position


def _ways(pieces: list[tuple[str, str]], position: int) -> tuple[list[str], int]:
    """Return the texts of an #if or #foreach after its head, and the position of its end."""
    ways, has_else = [], False
    while True:
        some, position = _block(pieces, position)
        ways += some
        if position == len(pieces):
            raise TemplateError("#if or #foreach without #end")
        kind, _ = pieces[position]
        position += 1
        if kind == "end":
            return ways if has_else else [*ways, ""], position
        has_else = has_else or kind == "else"


def _without_references(text: str) -> str:
    """Return a text with a placeholder for each reference."""
    done, position = [], 0
    while reference := _REFERENCE.search(text, position):
        done += [text[position : reference.start()], PLACEHOLDER]
        position = reference.end()
        while position < len(text):
            if text[position] in "([":
                position = _closing(text, position)
            elif method := re.match(r"\.[A-Za-z_]\w*", text[position:]):
                position += method.end()
            else:
                break
        if reference[1]:
            position += 1
    return "".join([*done, text[position:]])


def _closing(text: str, opening: int) -> int:
    """Return the position after the bracket that closes the one at a position, quotes respected."""
    depth, quote = 0, ""
    for position in range(opening, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if not depth:
                return position + 1
    raise TemplateError(f"no bracket closes {text[opening : opening + 40]!r}")
