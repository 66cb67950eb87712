"""Builds that are repeated, parallel, interrupted, and compared."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT, package_lambdas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tools.artifacts.conftest import Workshop

ARM, INTEL = "greet-arm64-python3.13", "greet-x86_64-python3.13"
CHANGED = "def handler(event, context):\n    return 1\n"


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on this machine; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class QuietFiles(SimpleHTTPRequestHandler):
    """A folder over HTTP."""

    def log_message(self, *_: object) -> None:
        pass


def test_current_zips_are_not_built_again(greeter: Workshop) -> None:
    def stamps() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in greeter.output.iterdir() if path.is_file()}

    greeter.run()
    before = stamps()
    assert greeter.run().out.count("up to date") == 2
    assert stamps() == before


def test_second_build_needs_no_index(greeter: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(partial(QuietFiles, directory=greeter.index)) as url:
        monkeypatch.setenv("UV_FIND_LINKS", url)
        greeter.run()
    (greeter.source / "greet" / "handler.py").write_text(CHANGED)
    assert greeter.run().out.count("built in") == 2


@pytest.mark.parametrize("change", ["code", "mode", "lock", "settings", "zip", "sbom", "manifest"])
def test_a_change_triggers_a_build(greeter: Workshop, change: str) -> None:
    greeter.run()
    before = greeter.manifest()
    folder = greeter.source / "greet"
    match change:
        case "code":
            (folder / "more.py").write_text("x = 1\n")
        case "mode":
            (folder / "handler.py").chmod(0o755)
        case "lock":
            (folder / "requirements.txt").write_text(greeter.wheel("salutation", "2.0"))
        case "settings":
            (folder / "package.toml").write_text('[[exclude]]\npaths = ["*/METADATA"]\nreason = "r"\n')
        case "zip":
            (greeter.output / f"{ARM}.zip").write_bytes(b"PK")
        case "sbom":
            (greeter.output / f"{ARM}.cdx.json").unlink()
        case "manifest":
            (greeter.output / "manifest.json").write_text('{"' + ARM)
    assert "built in" in greeter.run("--arch", "arm64").out
    after = greeter.manifest()
    from_other_inputs = change in {"code", "mode", "lock", "settings"}
    assert (after[ARM]["sha256"] != before[ARM]["sha256"]) == from_other_inputs
    assert (INTEL in after) == (not from_other_inputs and change != "manifest")


def test_damaged_cache_is_fetched_again(greeter: Workshop) -> None:
    greeter.run()
    before = greeter.manifest()
    (cached,) = (greeter.root / "uv").glob("archive-*/*/salutation/__init__.py")
    cached.chmod(0o644)
    cached.write_text("def greet():\n    return 'damaged'\n")
    for archive in greeter.output.glob("*.zip"):
        archive.unlink()
    greeter.run()
    assert greeter.manifest() == before


def test_outdated_zip_leaves_the_manifest(greeter: Workshop) -> None:
    """Terraform then asks for a build, instead of deploying old code."""
    greeter.run()
    (greeter.source / "greet" / "handler.py").write_text(CHANGED)
    assert re.search(f"{INTEL} .*out of date", greeter.run("--arch", "arm64").out)
    assert set(greeter.manifest()) == {ARM}


def test_removed_function_leaves_the_manifest(greeter: Workshop) -> None:
    greeter.function("other")
    greeter.run("--arch", "arm64")
    shutil.rmtree(greeter.source / "other")
    greeter.run("--arch", "arm64")
    assert set(greeter.manifest()) == {ARM}


def test_failed_build_keeps_other_zips(greeter: Workshop) -> None:
    greeter.run()
    before = greeter.manifest()
    greeter.function("broken", "missing==1.0 --hash=sha256:" + "0" * 64)
    greeter.run(expect=1)
    assert greeter.manifest() == before
    assert greeter.leftovers() == []


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_interrupt_while_fetching_keeps_zips(greeter: Workshop, stop: signal.Signals) -> None:
    greeter.run("--arch", "arm64")
    before = greeter.manifest()
    greeter.function("slow", greeter.wheel("late"))
    asked, over = threading.Event(), threading.Event()

    class Hanging(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            over.wait()

    with served(Hanging) as url:
        process = subprocess.Popen(
            greeter.command("--arch", "arm64"),
            env={**os.environ, "UV_FIND_LINKS": url},
            start_new_session=True,  # a group of its own, which gets the signal as it does from a terminal
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asked.wait(60)
        os.killpg(process.pid, stop)
        _, errors = process.communicate(timeout=60)
        deadline = time.monotonic() + 10
        while not is_gone(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        over.set()
        assert is_gone(process.pid)
    assert process.returncode == (130 if stop == signal.SIGINT else -stop)
    assert greeter.manifest() == before
    if stop == signal.SIGINT:
        assert errors == "interrupted: finished zips are kept\n"
        assert greeter.leftovers() == []
    greeter.run("--arch", "arm64")
    assert set(greeter.manifest()) == {ARM, "slow-arm64-python3.13"}
    assert greeter.leftovers() == []


def test_kill_at_any_moment_keeps_zips(greeter: Workshop) -> None:
    handler = greeter.source / "greet" / "handler.py"
    started = time.monotonic()
    subprocess.run(greeter.command(), check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - started
    moments = 6
    for moment in range(moments):
        handler.write_text(f"def handler(event, context):\n    return {moment}\n")
        process = subprocess.Popen(greeter.command(), start_new_session=True, stdout=subprocess.DEVNULL)
        time.sleep(whole * moment / moments)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        greeter.manifest()  # checks that what it names is there and whole
    greeter.run()
    for key in (ARM, INTEL):
        with greeter.zip(key) as archive:
            assert f"return {moments - 1}" in archive.read("greet/handler.py").decode()
    assert greeter.leftovers() == []


@pytest.mark.parametrize("bytecode", [False, True])
def test_interrupt_before_any_rename_keeps_zips(
    greeter: Workshop, monkeypatch: pytest.MonkeyPatch, *, bytecode: bool
) -> None:
    greeter.run("--local")
    (key,) = greeter.manifest()
    if not bytecode:
        (greeter.source / "greet" / "handler.py").write_text(CHANGED)
    options = greeter.options("--local", *(["--bytecode"] if bytecode else []))
    before = shutil.copytree(greeter.output, greeter.root / "before")
    old = greeter.manifest()[key]["sha256"]
    rename, renamed, admitted = Path.replace, 0, 0

    def interrupted(self: Path, target: Path) -> Path:
        nonlocal renamed
        renamed += 1
        if renamed > admitted:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    while package_lambdas.main(options) == 130:
        greeter.manifest()  # checks that what it names is there and whole
        assert greeter.leftovers() == []
        shutil.rmtree(greeter.output)
        shutil.copytree(before, greeter.output)
        renamed, admitted = 0, admitted + 1
    assert admitted == 4  # manifest without the zip, zip, bill of materials, manifest with the zip
    assert greeter.manifest()[key]["sha256"] != old


def test_parallel_builds_keep_each_others_zips(greeter: Workshop) -> None:
    commands = [greeter.command(*options) for options in (("--arch", "arm64"), ("--arch", "x86_64"), ("--local",))]
    processes = [subprocess.Popen(one, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for one in commands]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert {ARM, INTEL} <= set(greeter.manifest())


def test_check_builds_the_same_bytes(greeter: Workshop) -> None:
    greeter.function("alone")
    assert "reproducible: 2 zips" in greeter.run("--check", "--arch", "arm64").out
    assert set(greeter.manifest()) == {ARM, "alone-arm64-python3.13"}


def test_check_reports_different_bytes(workshop: Workshop) -> None:
    """The lock admits two files with one name, and the index decides which of them a machine gets."""
    first = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/either.py": "1"})
    original = (workshop.index / "pkg-1.0-py3-none-any.whl").read_bytes()
    second = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/either.py": "2"})
    workshop.function("greet", f"{first.strip()} {second.split()[1]}\n")
    workshop.run("--arch", "arm64")
    (workshop.index / "pkg-1.0-py3-none-any.whl").write_bytes(original)
    outcome = workshop.run("--arch", "arm64", "--check", expect=1)
    assert f"{ARM}.zip differs in pkg/either.py" in outcome.err
    assert f"{ARM}.cdx.json differs" in outcome.err
    assert "the manifests differ" in outcome.err
    assert "reproducible" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing"], "no function nothing"),
        (["--arch", "riscv"], "invalid choice"),
        (["--python", "3.11"], "Use --local"),
        (["--python", "2.7"], "Python 3.12 or later"),
    ],
)
def test_wrong_usage_has_its_own_exit_status(greeter: Workshop, arguments: list[str], complaint: str) -> None:
    assert complaint in greeter.run(*arguments, expect=2).err


def test_folder_without_functions_is_wrong_usage(workshop: Workshop) -> None:
    workshop.package("shared", {"__init__.py": "", "requirements.txt": ""})
    assert "a folder with a handler.py" in workshop.run(expect=2).err


def test_function_without_a_lock_is_refused(workshop: Workshop) -> None:
    workshop.package("f", {"handler.py": ""})
    assert "has a handler.py but no requirements.txt" in workshop.run(expect=1).err


def test_unwritable_output_is_an_error(greeter: Workshop) -> None:
    greeter.output.write_text("a file")
    done = subprocess.run(greeter.command(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_documented_commands_work(workshop: Workshop) -> None:
    workshop.function("process_image", workshop.wheel("pkg"))
    text = (ROOT / "docs" / "packaging.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python scripts/package_lambdas\.py(.*)$", text, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        workshop.run(*shlex.split(command, comments=True))


def test_manifest_is_sorted_json(greeter: Workshop) -> None:
    greeter.run()
    text = (greeter.output / "manifest.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
