"""Builds that are repeated, parallel, interrupted, and compared."""

from __future__ import annotations

import hashlib
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
from scripts.artifacts.targets import local_target

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


def test_manifest_describes_each_zip(greeter: Workshop) -> None:
    greeter.function("again", greeter.wheel("other"))
    greeter.run("--python", "3.13", "3.12")
    manifest = greeter.manifest()
    names = [
        (function, architecture, f"python{python}")
        for function in ("again", "greet")
        for architecture in ("arm64", "x86_64")
        for python in ("3.12", "3.13")
    ]
    assert list(manifest) == ["-".join(name) for name in names]
    assert [(one["function"], one["architecture"], one["runtime"]) for one in manifest.values()] == names
    assert manifest[ARM]["path"] == f"{ARM}.zip"
    text = (greeter.output / "manifest.json").read_text()
    assert text == json.dumps(manifest, indent=2, sort_keys=True) + "\n"


def test_current_zips_are_not_built_again(greeter: Workshop) -> None:
    def stamps() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in greeter.output.glob("[!.]*")}

    greeter.run()
    before = stamps()
    assert greeter.run().out.count("up to date") == 2
    assert stamps() == before


def test_second_build_needs_no_index(greeter: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    (wheel,) = greeter.index.iterdir()
    page = greeter.root / "simple" / "salutation" / "index.html"
    page.parent.mkdir(parents=True)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    page.write_text(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>')
    wheel.rename(page.parent / wheel.name)
    with served(partial(SimpleHTTPRequestHandler, directory=greeter.root)) as url:
        for name, value in {"NO_INDEX": "0", "DEFAULT_INDEX": f"{url}simple", "HTTP_RETRIES": "0"}.items():
            monkeypatch.setenv(f"UV_{name}", value)
        greeter.run()
    (greeter.source / "greet" / "handler.py").write_text(CHANGED)
    before = greeter.manifest()
    greeter.run()
    assert greeter.manifest()[ARM]["sha256"] != before[ARM]["sha256"]


@pytest.mark.parametrize("change", ["code", "mode", "lock", "settings", "function", "zip", "sbom", "manifest"])
def test_change_triggers_a_build(greeter: Workshop, change: str) -> None:
    """A zip that is out of date also leaves the manifest, so that Terraform never deploys it."""
    greeter.function("other")
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
        case "function":
            shutil.rmtree(folder)
        case "zip":
            (greeter.output / f"{ARM}.zip").write_bytes(b"PK")
        case "sbom":
            (greeter.output / f"{ARM}.cdx.json").unlink()
        case "manifest":
            (greeter.output / "manifest.json").write_text('{"' + ARM)
    greeter.run("--arch", "arm64")
    after = greeter.manifest()
    damaged = change in {"zip", "sbom", "manifest"}
    assert (before[ARM] == after.get(ARM)) == damaged
    assert (ARM in after) == (change != "function")
    assert (INTEL in after) == (change in {"zip", "sbom"})
    assert ("other-x86_64-python3.13" in after) == (change != "manifest")


def test_failed_build_keeps_other_zips(greeter: Workshop) -> None:
    greeter.run()
    before = greeter.manifest()
    greeter.function("broken", "missing==1.0 --hash=sha256:" + "0" * 64)
    greeter.run(expect=1)
    assert greeter.manifest() == before
    assert not greeter.work.exists()


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
        )
        assert asked.wait(60)
        os.killpg(process.pid, stop)
        assert process.wait(60) == (130 if stop == signal.SIGINT else -stop)
        deadline = time.monotonic() + 10
        while not is_gone(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        over.set()
        assert is_gone(process.pid)
    assert greeter.manifest() == before
    assert greeter.work.exists() == (stop == signal.SIGKILL)
    greeter.run("--arch", "arm64")
    assert set(greeter.manifest()) == {ARM, "slow-arm64-python3.13"}
    assert not greeter.work.exists()


@pytest.mark.parametrize("bytecode", [False, True])
def test_interrupt_before_any_rename_keeps_zips(
    greeter: Workshop, monkeypatch: pytest.MonkeyPatch, *, bytecode: bool
) -> None:
    """Renaming is the only way in which a build changes what was there before."""
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
        assert not greeter.work.exists()
        shutil.rmtree(greeter.output)
        shutil.copytree(before, greeter.output)
        renamed, admitted = 0, admitted + 1
    assert admitted == 4  # manifest without the zip, zip, bill of materials, manifest with the zip
    assert greeter.manifest()[key]["sha256"] != old


def test_parallel_builds_keep_each_others_zips(greeter: Workshop) -> None:
    commands = [greeter.command(*options) for options in (("--arch", "arm64"), ("--arch", "x86_64"), ("--local",))]
    processes = [subprocess.Popen(one) for one in commands]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert set(greeter.manifest()) == {ARM, INTEL, local_target().artifact("greet")}


@pytest.mark.parametrize("options", [("--arch", "arm64"), ("--local", "--bytecode")])
def test_check_builds_the_same_bytes(greeter: Workshop, options: tuple[str, ...]) -> None:
    sets = "".join(f"def f{n}(x):\n    return x in {{'a{n}', 'b', 'c', 1.5, (None, {n})}}\n" for n in range(50))
    greeter.function("alone", files={"sets.py": sets})
    assert "reproducible: 2 zips" in greeter.run("--check", *options).out
    assert {entry["function"] for entry in greeter.manifest().values()} == {"greet", "alone"}


def test_check_reports_different_bytes(workshop: Workshop) -> None:
    """The lock admits two files with one name, and the index decides which of them a machine gets."""
    first = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/either.py": "1"})
    original = (workshop.index / "pkg-1.0-py3-none-any.whl").read_bytes()
    second = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/either.py": "2"})
    workshop.function("greet", f"{first.strip()} {second.split()[1]}\n")
    workshop.run("--arch", "arm64")
    (workshop.index / "pkg-1.0-py3-none-any.whl").write_bytes(original)
    outcome = workshop.run("--arch", "arm64", "--check", expect=1)
    differences = (
        f"{ARM} differs in manifest.json",
        f"{ARM}.zip differs\n  pkg/either.py\n",
        f"{ARM}.cdx.json differs",
    )
    assert all(difference in outcome.err for difference in differences)
    assert "reproducible" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing"], "no function nothing"),
        (["--source", "."], "A function is a folder with a handler.py"),
        (["--arch", "riscv"], "invalid choice"),
        (["--python", "3.11"], "Use --local"),
        (["--python", "2.7"], "Python 3.12 or later"),
    ],
)
def test_wrong_usage_has_its_own_exit_status(greeter: Workshop, arguments: list[str], complaint: str) -> None:
    assert complaint in greeter.run(*arguments, expect=2).err


def test_documented_commands_work(workshop: Workshop) -> None:
    workshop.function("process_image", workshop.wheel("pkg"))
    text = (ROOT / "docs" / "packaging.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python scripts/package_lambdas\.py(.*)$", text, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        workshop.run(*shlex.split(command, comments=True))
