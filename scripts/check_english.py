"""Check the English of every text in the repository against `scripts/english.toml`."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.process.entry_point import entry_point

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "scripts" / "english.toml"

PROSE = {
    ".css": r"/?\*+",
    ".cjs": "//",
    ".hcl": "#",
    ".html": "//|<!--",
    ".in": "#",
    ".java": "//",
    ".md": r"(?:[-*>|]|\d+\.)?",
    ".py": "#",
    ".tf": "#",
    ".toml": "#",
    ".vtl": "##",
    ".yaml": "#",
    ".yml": "#",
    "": "#",
}
"""Mark of a line of prose, by the end of the file's name."""

BETWEEN = r"(?:[\s_#*/>|]+)"
"""Separator of a phrase's words: a space, the `_` of a name, the end of a line with the mark of the next comment."""

LABELLED = re.compile(r'"?\b(?:description|error_message|Comment|help)"?\s*[=:]\s*(?:f?"|<<-?\w+\s+)(\w+)')
"""First word of a text that a label announces in Terraform, JSON or Python."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Finding:
    """Words to replace, and where they are."""

    file: str
    line: int
    words: str
    advice: str

    def __str__(self) -> str:
        """Format the finding as one line that editors recognise."""
        return f"{self.file}:{self.line}: “{self.words}”: {self.advice}"


@dataclass(frozen=True)
class Phrase:
    """A banned phrase.

    Attributes:
        pattern: Matches the phrase in text in lower case, unless `case`. It begins with a letter: a search for one
            is several times as fast as a search for a boundary.
        case: Upper and lower case differ.
        exceptions: Longer phrases that contain it and are right.
        advice: Replacement.
    """

    pattern: re.Pattern[str]
    case: bool
    exceptions: tuple[str, ...]
    advice: str


class Rules:
    """The rules of `english.toml`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.skip: list[str] = settings["skip"]
        self.longest_test_name: int = settings["longest_test_name"]
        self.verbs = frozenset(settings["verbs"].split())
        self.clauses = frozenset(settings["clauses"])
        self.vague = frozenset(settings["vague"])
        self.sentence_openings = "|".join(settings["sentence_openings"])
        self.phrases = tuple(
            Phrase(
                re.compile(rf"{BETWEEN.join(map(re.escape, find.split()))}(?![A-Za-z])"),
                banned.get("case", False),
                tuple(banned.get("except", ())),
                f"write {banned['write']}",
            )
            for banned in settings["banned"]
            for find in banned["find"]
        )


def line_of(text: str, position: int) -> int:
    """Return the number of the line that contains a position."""
    return text.count("\n", 0, position) + 1


def is_question(text: str, start: int) -> bool:
    """Return True if the sentence from `start` ends with a question mark."""
    end = re.compile(r"[?!]|\.(?=[\s\"]|$)|\n\s*\n").search(text, start)
    return end is not None and end[0] == "?"


def check_words(rules: Rules, file: str, text: str) -> Iterator[Finding]:
    """Yield the banned phrases of any kind of text."""
    lower = text.lower()
    for phrase in rules.phrases:
        for match in phrase.pattern.finditer(text if phrase.case else lower):
            start, end = match.span()
            around = lower[max(0, start - 20) : end + 20]
            if not text[start - 1 : start].isalpha() and not any(right in around for right in phrase.exceptions):
                yield Finding(file, line_of(text, start), " ".join(text[start:end].split()), phrase.advice)


def check_sentences(rules: Rules, file: str, text: str, mark: str) -> Iterator[Finding]:
    """Yield the sentences of comments and documents that open with a clause."""
    opening = rf"(?:{rules.sentence_openings})\b [\w`][^\n]*"
    pattern = rf"^[ \t]*(?:{mark}) *({opening})|^[ \t]*(?:{mark})[^\n]*[.!?] ({opening})"
    for match in re.finditer(pattern, text, re.MULTILINE):
        start = match.start(match.lastindex or 0)
        if not is_question(text, start):
            words = " ".join(text[start : start + 60].split()[:3])
            yield Finding(file, line_of(text, start), words, "open the sentence with its subject")


def check_name(rules: Rules, file: str, line: int, name: str) -> Iterator[Finding]:
    """Yield the faults of a test's name."""
    words = name.removeprefix("test_").split("_")
    if words[0] in rules.clauses | rules.vague:
        yield Finding(file, line, name, "state the behaviour, subject first")
    if len(name) > rules.longest_test_name:
        yield Finding(
            file, line, name, f"shorten the name from {len(name)} to at most {rules.longest_test_name} characters"
        )


def first_words(text: str) -> list[str]:
    """Return the first two words in lower case, without punctuation; empty strings for a shorter text."""
    return [re.sub(r"\W+$", "", word.lower()) for word in [*text.split(maxsplit=2), "", ""][:2]]


def check_headings(rules: Rules, file: str, text: str) -> Iterator[Finding]:
    """Yield the headings of a document that open with a clause; `How to …` and questions may."""
    for match in re.finditer(r"^#+ (.+)$", text, re.MULTILINE):
        words = first_words(match[1])
        if (
            (words[0] in rules.clauses or words[0] == "see")
            and words[:2] != ["how", "to"]
            and not match[1].endswith("?")
        ):
            yield Finding(file, line_of(text, match.start()), match[1], "name the subject that a reader searches for")


def check_labelled(rules: Rules, file: str, text: str) -> Iterator[Finding]:
    """Yield the descriptions, messages and options' help that open with a clause, and the faulty names of `run`s."""
    for match in LABELLED.finditer(text):
        if match[1].lower() in rules.clauses:
            yield Finding(file, line_of(text, match.start(1)), match[1], "open the text with its subject")
    for match in re.finditer(r'^run "(\w+)"', text, re.MULTILINE):
        yield from check_name(rules, file, line_of(text, match.start()), match[1])


def is_property(node: Documented) -> bool:
    """Return True if a function is read like an attribute."""
    return isinstance(node, ast.FunctionDef) and any(
        ast.unparse(decorator).endswith("property") for decorator in node.decorator_list
    )


def check_docstring(rules: Rules, file: str, node: Documented, docstring: ast.Constant) -> Iterator[Finding]:
    """Yield the fault of a docstring's opening words."""
    text = str(docstring.value)
    first, second = first_words(text)
    is_test = getattr(node, "name", "").startswith("test_")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_property(node) and not is_test:
        right = first in rules.verbs and second != "of"  # "Number of …"
        advice = "open a function's docstring with an imperative verb"
    else:
        right = first not in rules.clauses and (is_test or first not in rules.vague)
        advice = "open the docstring with a noun"
    if not right:
        yield Finding(file, docstring.lineno, " ".join(text.split()[:4]), advice)


def check_entries(rules: Rules, file: str, docstring: ast.Constant) -> Iterator[Finding]:
    """Yield the arguments and attributes in a docstring whose description opens with a clause."""
    for number, line in enumerate(str(docstring.value).splitlines()):
        entry = re.match(r"\s+\*{0,2}\w+: (\w+)\b[^?]*$", line)
        if entry and entry[1].lower() in (rules.clauses - {"whether"}) | {"of"}:
            yield Finding(file, docstring.lineno + number, line.strip()[:40], "describe it with a noun phrase")


def strings(body: list[ast.stmt]) -> Iterator[tuple[int, ast.Constant]]:
    """Yield the statements that are a string alone, with their numbers: docstrings."""
    for index, statement in enumerate(body):
        match statement:
            case ast.Expr(value=ast.Constant(value=str()) as string):
                yield index, string


def check_python(rules: Rules, file: str, text: str) -> Iterator[Finding]:
    """Yield the faults of docstrings and of tests' names."""
    nodes: list[ast.AST] = [ast.parse(text)]
    while nodes:
        node = nodes.pop()
        for field in ("body", "orelse", "finalbody", "handlers"):
            found = getattr(node, field, None)
            nodes.extend(found if isinstance(found, list) else [])
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield from check_name(rules, file, node.lineno, node.name)
        body = getattr(node, "body", None)
        for index, string in strings(body if isinstance(body, list) else []):
            if index == 0 and isinstance(node, Documented):
                yield from check_docstring(rules, file, node, string)
                yield from check_entries(rules, file, string)
            elif first_words(str(string.value))[0] in rules.clauses:
                words = " ".join(str(string.value).split()[:4])
                yield Finding(file, string.lineno, words, "open the docstring with a noun")


def check_text(rules: Rules, file: str, text: str) -> list[Finding]:
    """Return the findings in one file, in the order of its lines."""
    found = [*check_words(rules, file, text), *check_labelled(rules, file, text)]
    ending = Path(file).suffix
    if ending in PROSE:
        found += check_sentences(rules, file, text, PROSE[ending])
    if ending == ".md":
        found += check_headings(rules, file, text)
    elif ending == ".py":
        found += check_python(rules, file, text)
    return sorted(set(found))


def texts(rules: Rules, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file that belongs to the repository, unless it is skipped."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for file in sorted(set(listed.split("\0"))):
        path = root / file
        if path.is_file() and not any(fnmatch(file, pattern) for pattern in rules.skip):
            content = path.read_bytes()
            if b"\0" not in content:
                yield file, content.decode()


@entry_point
def main() -> int:
    """Print the findings; the exit status is 1 if there are any."""
    parser = argparse.ArgumentParser(description="Check the project's English against scripts/english.toml.")
    parser.add_argument("paths", nargs="*", help="check only files whose path begins with one of these")
    arguments = parser.parse_args()
    rules = Rules(tomllib.loads(RULES.read_text()))
    found = [
        finding
        for file, text in texts(rules, ROOT)
        if file.startswith(tuple(arguments.paths or [""]))
        for finding in check_text(rules, file, text)
    ]
    for finding in found:
        print(finding)
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
