"""Separate processes: their results, limits and crashes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from process_image.image import (
    DecoderCrashedError,
    EmptyObjectError,
    Limits,
    RejectedImageError,
    TooManyPixelsError,
    TooMuchMemoryError,
    TooSlowError,
    UnreadableImageError,
    Variant,
    render,
)
from process_image.isolation import Budget, RenderingFailedError, run
from tests.support.pictures import encoded, photo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUDGET = Budget(max_memory=100, max_seconds=30)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds the memory of a process")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Require that a test leaves neither an open file nor a process; processes that others started are not its own."""
    descriptors = len(list(Path("/dev/fd").iterdir()))
    children = []

    def fork(original: Callable[[], int] = os.fork) -> int:
        children.append(original())
        return children[-1]

    monkeypatch.setattr(os, "fork", fork)
    yield
    assert len(list(Path("/dev/fd").iterdir())) == descriptors
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def fill_memory() -> int:
    return len(bytearray(os.urandom(1)) * (200 * 1024 * 1024))


def fill_memory_in_c() -> int:
    """Simulate a decoder that reports missing memory as damage, or crashes."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    if malloc(200 * 1024 * 1024) is None:
        os.abort()
    return 0


def test_value_is_returned() -> None:
    large = os.urandom(5_000_000)
    assert run(lambda: large, BUDGET).result() == large
    assert run(lambda: None, BUDGET).result() is None


def test_child_renders_the_same_bytes() -> None:
    data, variants = encoded(photo(), "JPEG"), [Variant(name="v", width=100)]
    assert run(lambda: render(data, variants, Limits()), BUDGET).result() == render(data, variants, Limits())


@pytest.mark.parametrize(
    "rejection",
    [EmptyObjectError(), TooManyPixelsError(7, (2, 4)), UnreadableImageError("jpeg"), TooSlowError(7)],
    ids=lambda rejection: rejection.code,
)
def test_rejection_passes_the_process_border(rejection: RejectedImageError) -> None:
    with pytest.raises(type(rejection)) as caught:
        run(raising(rejection), BUDGET).result()
    assert caught.type is type(rejection)
    assert (caught.value.code, str(caught.value)) == (rejection.code, str(rejection))


def test_other_error_is_a_failure_with_a_stack() -> None:
    for error in (KeyError("what"), OSError("a mistake of ours"), SystemExit(0)):
        with pytest.raises(RenderingFailedError, match=rf"(?s)def fail|in fail.*{type(error).__name__}"):
            run(raising(error), BUDGET).result()


@pytest.mark.parametrize(
    "hang",
    [lambda: time.sleep(60), lambda: ctypes.PyDLL(None).sleep(60), lambda: [None for _ in iter(int, 1)]],
    ids=["in Python", "in C that never lets go of Python", "at work"],
)
def test_slow_call_is_ended(hang: Callable[[], object]) -> None:
    finished = run(hang, Budget(max_memory=1000, max_seconds=1))
    assert 1 <= finished.seconds < 5
    with pytest.raises(TooSlowError, match="within 1 seconds"):
        finished.result()


def test_stalled_answer_is_ended() -> None:
    class Stuck:
        def __reduce__(self) -> tuple[object, ...]:
            time.sleep(60)
            return ()

    with pytest.raises(TooSlowError):
        run(lambda: [bytes(1_000_000), Stuck()], Budget(max_seconds=1)).result()


@linux
@pytest.mark.parametrize(
    ("fill", "rejection"), [(fill_memory, TooMuchMemoryError), (fill_memory_in_c, DecoderCrashedError)]
)
def test_memory_limit_is_enforced(fill: Callable[[], int], rejection: type[RejectedImageError]) -> None:
    with pytest.raises(rejection):
        run(fill, BUDGET).result()
    assert run(fill, Budget(max_memory=300)).result() is not None


@linux
@pytest.mark.parametrize("end", [raising(UnreadableImageError("webp")), os.abort], ids=["damage", "crash"])
def test_damage_near_the_memory_limit_is_memory(end: Callable[[], None]) -> None:
    def filling(megabytes: int) -> Callable[[], None]:
        def fill() -> None:
            kept = bytearray(os.urandom(1)) * (megabytes * 1024 * 1024)
            end()
            kept.clear()

        return fill

    with pytest.raises(TooMuchMemoryError):
        run(filling(85), BUDGET).result()
    with pytest.raises((UnreadableImageError, DecoderCrashedError)):
        run(filling(50), BUDGET).result()


@linux
def test_answer_without_memory_is_a_rejection() -> None:
    class Large:
        def __reduce__(self) -> tuple[object, ...]:
            return bytes, (b"." * (200 * 1024 * 1024),)

    for _ in range(10):
        with pytest.raises(TooMuchMemoryError):
            run(Large, BUDGET).result()


def test_unconfined_process_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("process_image.isolation._confine", lambda _: raising(OSError("no /proc"))())
    with pytest.raises(RenderingFailedError, match="ended with status 1"):
        run(lambda: 0, BUDGET).result()


@linux
def test_memory_of_the_parent_does_not_count() -> None:
    ballast = bytearray(os.urandom(1)) * (150 * 1024 * 1024)
    assert run(lambda: len(ballast), BUDGET).result() == len(ballast)


def test_peak_memory_is_measured() -> None:
    small, large = run(lambda: 0, Budget()), run(fill_memory, Budget())
    assert 180 <= large.peak_rss - small.peak_rss <= 260


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE])
def test_crash_is_a_rejection(number: signal.Signals) -> None:
    with pytest.raises(DecoderCrashedError):
        run(lambda: os.kill(os.getpid(), number), BUDGET).result()


def test_real_crash_is_a_rejection() -> None:
    with pytest.raises(DecoderCrashedError):
        run(lambda: ctypes.string_at(8), BUDGET).result()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGILL])
def test_killed_child_is_a_failure(number: signal.Signals) -> None:
    with pytest.raises(RenderingFailedError, match=f"ended with status -{number}"):
        run(lambda: os.kill(os.getpid(), number), BUDGET).result()


def test_exit_without_answer_is_a_failure() -> None:
    with pytest.raises(RenderingFailedError, match="ended with status 0"):
        run(lambda: os._exit(0), BUDGET).result()


def test_child_does_not_change_the_parent(capfd: pytest.CaptureFixture[str]) -> None:
    kept = ["here"]

    def change() -> None:
        kept.append("there")
        os.write(1, b"there")
        os.write(2, b"there")

    run(change, BUDGET).result()
    assert kept == ["here"]
    assert capfd.readouterr() == ("", "")


def test_interrupt_ends_the_child(tmp_path: Path) -> None:
    alive = tmp_path / "alive"

    def live() -> None:
        for _ in range(1000):
            alive.touch()
            time.sleep(0.02)

    timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run(live, BUDGET)
    timer.join()
    alive.unlink(missing_ok=True)
    time.sleep(0.2)
    assert not alive.exists()


@pytest.mark.parametrize("field", ["max_memory", "max_seconds"])
def test_invalid_budget_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must be at least 1, not 0"):
        Budget(**{field: 0})
