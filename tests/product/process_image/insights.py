"""The part of CloudWatch Logs Insights that the saved queries use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from scripts import ROOT

Line = Mapping[str, Any]
Test = Callable[[Line], bool]

_QUERY = re.compile(r'^    "([a-z ]+)" = \{.*?<<-EOT\n(.*?)\n +EOT$', re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(r'\s*(?:"(?P<text>[^"]*)"|(?P<name>[@\w.]+)|(?P<sign>[=()]))')


class UnknownQueryError(ValueError):
    """A query contains something that is not supported here."""


def saved_queries() -> dict[str, str]:
    """Return the queries of the Terraform code, by name, without their comments."""
    text = (ROOT / "terraform" / "8_observe.tf").read_text()
    return {name: re.sub(r"(?m)^ *#.*\n", "", query) for name, query in _QUERY.findall(text)}


def fields(line: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return the fields that Insights finds in a line of JSON, with paths for inner objects."""
    found: dict[str, Any] = {}
    for name, value in line.items():
        found |= fields(value, f"{within}{name}.") if isinstance(value, dict) else {f"{within}{name}": value}
    return found


def select(query: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines that pass all filters of a query, flat."""
    tests = [_Filter(arguments).test for command, arguments in _commands(query) if command == "filter"]
    return [line for line in map(fields, lines) if all(test(line) for test in tests)]


def read(query: str) -> set[str]:
    """Return the fields that a query shows, counts or sorts by, except for those that Insights adds."""
    names: set[str] = set()
    for command, arguments in _commands(query):
        if command == "fields":
            names |= {name.strip() for name in arguments.split(",")}
        elif command == "stats":
            names |= set(re.findall(r"(?:avg|max)\(([\w.]+)\)", arguments)) | set(re.findall(r" by (\w+)$", arguments))
    return {name for name in names if not name.startswith("@")}


def _commands(query: str) -> list[tuple[str, str]]:
    parts = [part.strip().partition(" ") for part in query.split("|")]
    return [(command, arguments) for command, _, arguments in parts]


class _Filter:
    """Evaluate `name = "text"`, `name like "text"` and `ispresent(name)`, with `and` before `or`."""

    def __init__(self, condition: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(condition.rstrip()):
            token = _TOKEN.match(condition, at)
            if token is None or token.lastgroup is None:
                raise UnknownQueryError(condition[at:])
            self._tokens.append((token.lastgroup, token[token.lastgroup]))
            at = token.end()
        self.test = self._or()
        if self._tokens:
            raise UnknownQueryError(condition)

    def _or(self) -> Test:
        tests = [self._and()]
        while self._tokens[:1] == [("name", "or")]:
            self._take("name")
            tests.append(self._and())
        return lambda line: any(test(line) for test in tests)

    def _and(self) -> Test:
        tests = [self._one()]
        while self._tokens[:1] == [("name", "and")]:
            self._take("name")
            tests.append(self._one())
        return lambda line: all(test(line) for test in tests)

    def _one(self) -> Test:
        name = self._take("name")
        if name == "ispresent":
            self._take("sign")
            present = self._take("name")
            self._take("sign")
            return lambda line: present in line
        operator, text = self._take("name", "sign"), self._take("text")
        if operator == "=":
            return lambda line: line.get(name) == text
        if operator == "like":
            return lambda line: text in str(line.get(name, ""))
        raise UnknownQueryError(operator)

    def _take(self, *kinds: str) -> str:
        kind, token = self._tokens.pop(0)
        if kind not in kinds:
            raise UnknownQueryError(token)
        return token
