"""End of entry points: after an error, an interruption, and when the reader of their output has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.process.entry_point import FAILED, INTERRUPTED, WRONG_USAGE, ToolError, entry_point, printable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ToolError("it is broken: repair it"), FAILED, "error: it is broken: repair it\n"),
        (ToolError("no such file", WRONG_USAGE), WRONG_USAGE, "error: no such file\n"),
        (FileNotFoundError(2, "No such file", "x"), FAILED, "error: [Errno 2] No such file: 'x'\n"),
        (ToolError("a\x1b[2Jb\x07\u202e.jpg\nfür"), FAILED, "error: a\\x1b[2Jb\\x07\\u202e.jpg\nfür\n"),
        (KeyboardInterrupt(), INTERRUPTED, "interrupted\n"),
        (KeyboardInterrupt("nothing is left"), INTERRUPTED, "interrupted: nothing is left\n"),
    ],
)
def test_expected_errors_are_printed(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @entry_point
    def main() -> int:
        raise error

    assert main() == status
    assert capsys.readouterr().err == said


def test_unprintable_characters_are_escaped() -> None:
    assert printable("a\x1b[2J\n\u202e \x7f für 日本 \udcff") == "a\\x1b[2J\\n\\u202e \\x7f für 日本 \\udcff"


def test_unexpected_errors_are_raised() -> None:
    @entry_point
    def main() -> int:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        main()


def test_arguments_and_status_are_passed_on() -> None:
    @entry_point
    def main(first: int, *, second: int) -> int:
        return first + second

    assert main(1, second=2) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_interrupt(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    ended = []

    @entry_point
    def main() -> int:
        try:
            signal.raise_signal(number)
        finally:
            ended.append(True)
        return 0

    assert main() == INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"
    assert ended


@pytest.mark.parametrize("lines", [1, 100_000])
def test_closed_output_ends_without_a_traceback(lines: int) -> None:
    program = (
        "import sys\n"
        "from scripts.process.entry_point import entry_point\n"
        "@entry_point\n"
        "def main():\n"
        "    sys.stdin.read()\n"
        f"    print('x\\n' * {lines})\n"
        "    return 0\n"
        "sys.exit(main())\n"
    )
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=writer, stderr=subprocess.PIPE
    ) as process:
        os.close(writer)
        os.close(reader)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (FAILED, b"")
