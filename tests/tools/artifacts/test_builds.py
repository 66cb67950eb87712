"""Builds one after another, side by side, broken off, and compared."""

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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT, package_lambdas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tools.artifacts.conftest import Workshop

ARM, INTEL = "greet-arm64-python3.13", "greet-x86_64-python3.13"


def stamps(workshop: Workshop) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in workshop.output.iterdir() if path.is_file()}


def test_nothing_changed_nothing_is_made(greeter: Workshop) -> None:
    greeter.run()
    before = stamps(greeter)
    started = time.monotonic()
    done = greeter.run()
    assert time.monotonic() - started < 1
    assert done.stdout.count("up to date") == 2
    assert stamps(greeter) == before


def test_the_second_build_needs_no_index(greeter: Workshop) -> None:
    greeter.run()
    shutil.rmtree(greeter.index)
    (greeter.source / "greet" / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    assert greeter.run().stdout.count("built in") == 2


@pytest.mark.parametrize("change", ["code", "lock", "settings", "zip", "sbom", "manifest"])
def test_whatever_changed_is_made_again(greeter: Workshop, change: str) -> None:
    greeter.run()
    before = greeter.manifest()
    folder = greeter.source / "greet"
    match change:
        case "code":
            (folder / "more.py").write_text("x = 1\n")
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
    done = greeter.run("--arch", "arm64")
    assert "built in" in done.stdout
    after = greeter.manifest()
    made_from_something_else = change in {"code", "lock", "settings"}
    assert (after[ARM]["sha256"] != before[ARM]["sha256"]) == made_from_something_else
    assert (INTEL in after) == (not made_from_something_else and change != "manifest")


def test_a_wheel_damaged_in_the_cache_is_fetched_again(greeter: Workshop) -> None:
    greeter.run()
    before = greeter.manifest()
    for wheel in greeter.output.glob(".cache/wheels/*/*.whl"):
        wheel.write_bytes(b"PK")
    for archive in greeter.output.glob("*.zip"):
        archive.unlink()
    greeter.run()
    assert greeter.manifest() == before


def test_a_zip_older_than_its_sources_leaves_the_manifest(greeter: Workshop) -> None:
    """Terraform then asks for a build, where it would deploy old code."""
    greeter.run()
    (greeter.source / "greet" / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    done = greeter.run("--arch", "arm64")
    assert f"{INTEL} " in done.stdout
    assert "out of date" in done.stdout
    assert set(greeter.manifest()) == {ARM}


def test_a_function_that_is_gone_leaves_the_manifest(greeter: Workshop) -> None:
    greeter.function("other", greeter.wheel("pkg"))
    greeter.run("--arch", "arm64")
    shutil.rmtree(greeter.source / "other")
    greeter.run("--arch", "arm64")
    assert set(greeter.manifest()) == {ARM}


def test_a_failed_build_keeps_the_others(greeter: Workshop) -> None:
    greeter.run()
    before = greeter.manifest()
    greeter.function("broken", "nowhere==1.0 --hash=sha256:" + "0" * 64)
    greeter.run(expect=1)
    assert greeter.manifest() == before
    assert greeter.leftovers() == []


@contextmanager
def hanging_index() -> Iterator[tuple[str, threading.Event]]:
    """An index that takes a request and never answers; tells when it has one."""
    asked, over = threading.Event(), threading.Event()

    class Hanging(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            over.wait()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple", asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_build_broken_off_while_it_downloads_leaves_nothing_wrong(greeter: Workshop, stop: signal.Signals) -> None:
    greeter.run("--arch", "arm64")
    before = greeter.manifest()
    lock = greeter.wheel("late")
    greeter.function("slow", lock)
    with hanging_index() as (url, asked):
        environment = {**greeter.environ(), "PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": url}
        process = subprocess.Popen(
            greeter.command("--arch", "arm64"),
            env=environment,
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
        assert is_gone(process.pid)
    assert process.returncode == (130 if stop == signal.SIGINT else -stop)
    assert greeter.manifest() == before
    if stop == signal.SIGINT:
        assert errors == "interrupted; what was finished before is kept\n"
        assert greeter.leftovers() == []
    greeter.run("--arch", "arm64")
    assert set(greeter.manifest()) == {ARM, "slow-arm64-python3.13"}
    assert greeter.leftovers() == []


def test_a_build_killed_at_any_moment_leaves_nothing_wrong(greeter: Workshop) -> None:
    handler = greeter.source / "greet" / "handler.py"
    started = time.monotonic()
    greeter.run()
    whole = time.monotonic() - started
    moments = 6
    for moment in range(moments):
        handler.write_text(f"def handler(event, context):\n    return {moment}\n")
        process = subprocess.Popen(
            greeter.command(), env=greeter.environ(), start_new_session=True, stdout=subprocess.DEVNULL
        )
        time.sleep(whole * moment / moments)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        greeter.manifest()  # checks that what it names is there and whole
    greeter.run()
    for key in (ARM, INTEL):
        with greeter.zip(key) as archive:
            assert f"return {moments - 1}" in archive.read("greet/handler.py").decode()
    assert greeter.leftovers() == []


def test_a_build_broken_off_before_any_of_its_renames_leaves_nothing_wrong(
    greeter: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in greeter.environ().items():
        monkeypatch.setenv(name, value)
    command = greeter.command("--arch", "arm64")[2:]
    assert package_lambdas.main(command) == 0
    (greeter.source / "greet" / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    before = shutil.copytree(greeter.output, greeter.root / "before")
    rename, renamed, admitted = Path.replace, 0, 0

    def interrupted(self: Path, target: Path) -> Path:
        nonlocal renamed
        renamed += 1
        if renamed > admitted:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    while package_lambdas.main(command) == 130:
        greeter.manifest()  # checks that what it names is there and whole
        assert greeter.leftovers() == []
        shutil.rmtree(greeter.output)
        shutil.copytree(before, greeter.output)
        renamed, admitted = 0, admitted + 1
    assert admitted == 4  # manifest without the zip, zip, bill of materials, manifest with the zip
    with greeter.zip(ARM) as archive:
        assert b"return 1" in archive.read("greet/handler.py")


def test_builds_side_by_side_do_not_lose_each_others_zips(greeter: Workshop) -> None:
    commands = [
        greeter.command("--arch", "arm64"),
        greeter.command("--arch", "x86_64"),
        greeter.command("--local"),
    ]
    processes = [subprocess.Popen(one, env=greeter.environ(), stderr=subprocess.DEVNULL) for one in commands]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert {ARM, INTEL} <= set(greeter.manifest())


def test_two_places_give_the_same_bytes(greeter: Workshop) -> None:
    greeter.run()
    first = greeter.manifest()
    for path in greeter.output.glob("greet*"):
        path.unlink()
    os.utime(greeter.source / "greet" / "handler.py", (1, 1))
    greeter.run()
    assert greeter.manifest() == first


def test_check_proves_that_the_bytes_do_not_depend_on_the_circumstances(greeter: Workshop) -> None:
    done = greeter.run("--check")
    assert "reproducible: 2 zips" in done.stdout
    assert set(greeter.manifest()) == {ARM, INTEL}


def test_a_function_without_dependencies_is_packaged_and_checked_too(workshop: Workshop) -> None:
    workshop.function("alone", "")
    workshop.run("--arch", "arm64", "--check")
    with workshop.zip("alone-arm64-python3.13") as archive:
        assert archive.namelist() == ["alone/__init__.py"]


def test_check_finds_bytes_that_do(workshop: Workshop) -> None:
    """A lock that admits two files of one name: which of them a machine gets, is up to the index."""
    first = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/either.py": "1"})
    original = (workshop.index / "pkg-1.0-py3-none-any.whl").read_bytes()
    second = workshop.wheel("pkg", files={"pkg/__init__.py": "", "pkg/either.py": "2"})
    workshop.function("greet", f"{first.strip()} {second.split()[1]}\n")
    workshop.run("--arch", "arm64")
    (workshop.index / "pkg-1.0-py3-none-any.whl").write_bytes(original)
    done = workshop.run("--arch", "arm64", "--check", expect=1)
    assert f"{ARM}.zip differs in pkg/either.py" in done.stderr
    assert f"{ARM}.cdx.json differs" in done.stderr
    assert "the manifests differ" in done.stderr
    assert "reproducible" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing"], "no function nothing"),
        (["--arch", "riscv"], "invalid choice"),
        (["--python", "3.11"], "use --local"),
        (["--python", "2.7"], "Python 3.12 and later"),
    ],
)
def test_wrong_usage_is_told_from_failure(greeter: Workshop, arguments: list[str], complaint: str) -> None:
    assert complaint in greeter.run(*arguments, expect=2).stderr


def test_a_folder_without_functions_is_wrong_usage(workshop: Workshop) -> None:
    assert "a folder with a requirements.txt" in workshop.run(expect=2).stderr


def test_an_output_that_cannot_be_written_is_explained(greeter: Workshop) -> None:
    greeter.output.write_text("a file")
    done = greeter.run(expect=1)
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_help_names_every_option(workshop: Workshop) -> None:
    text = workshop.run("--help").stdout
    for option in ("FUNCTION", "--arch", "--python", "--local", "--bytecode", "--check", "--output", "--source"):
        assert option in text


def test_the_commands_in_the_documentation_work(workshop: Workshop) -> None:
    workshop.function("process_image", workshop.wheel("pkg"))
    text = (ROOT / "docs" / "packaging.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python scripts/package_lambdas\.py(.*)$", text, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        workshop.run(*shlex.split(command, comments=True))


def test_the_manifest_is_plain_sorted_json(greeter: Workshop) -> None:
    greeter.run()
    text = (greeter.output / "manifest.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
