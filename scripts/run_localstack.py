"""LocalStack, the last version without a token: by docker compose if a Docker engine is available, else from PyPI.

    python scripts/run_localstack.py up | down | logs | test
    python scripts/run_localstack.py run -- terraform -chdir=terraform plan

LOCALSTACK=docker or LOCALSTACK=pip overrides this. From PyPI, functions run as processes of this machine and
DynamoDB is moto; docs/localstack.md lists the differences.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.engines.docker import Compose, missing_docker, projects
from scripts.engines.localstack import HOST, LocalStack, Way, packaging_options
from scripts.engines.pip import RUNNING, Process
from scripts.process.entry_point import ToolError, entry_point
from scripts.process.environment import engine_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DIRECTORY = ROOT / "build" / "localstack"
PROJECT = "darkroom-localstack"
PORT = 4566
LOG = "localstack.log"
TESTS = ("tests/tools/engines", "tests/e2e", "--numprocesses=auto", "-p", "no:randomly")


def choose(environment: Mapping[str, str]) -> tuple[Way, str]:
    """Return the way to run LocalStack, and the reason.

    Raises:
        ToolError: The way in the environment is not available.
    """
    wanted = environment.get("LOCALSTACK", "")
    if wanted not in ("", *(way.value for way in Way)):
        raise ToolError(f"LOCALSTACK is {wanted!r}: set it to docker or pip, or leave it out")
    if wanted == Way.PIP.value:
        return Way.PIP, "LOCALSTACK=pip asks for it"
    missing = missing_docker()
    if wanted and missing:
        raise ToolError(f"LOCALSTACK=docker asks for a Docker engine, but {missing}")
    if missing:
        return Way.PIP, missing
    return Way.DOCKER, "LOCALSTACK=docker asks for it" if wanted else "a Docker engine answers"


@contextmanager
def localstack(way: Way) -> Iterator[LocalStack]:
    """Run a LocalStack of one's own, on a free port, until the block ends, however it ends.

    Its log is kept until the next one starts.

    Raises:
        ToolError: It does not start.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    for finished in DIRECTORY.glob("run-*"):
        if not (finished / RUNNING).exists():
            shutil.rmtree(finished, ignore_errors=True)
    engine = _engine(way, port, f"run-{port}")
    try:
        yield engine.up()
    finally:
        engine.down()


def up(way: Way) -> int:
    """Start a LocalStack and leave it running."""
    started = time.monotonic()
    running = _lasting(way).up()
    # That it answers a call says more than its health page.
    account = running.session().client("sts").get_caller_identity()["Account"]
    print(f"LocalStack {running.version} answers for account {account} after {time.monotonic() - started:.0f} s.")
    print("A shell takes it for AWS with")
    for name, value in running.environment.items():
        print(f"  export {name}={value}")
    return 0


def down() -> int:
    """Stop everything that this project has started: after `up`, or after a killed run."""
    running = [Process(PORT, path.parent / LOG) for path in DIRECTORY.glob(f"*/{RUNNING}")]
    ended: list[Process | Compose] = [process for process in running if process.is_up]
    if missing_docker() is None:
        ended += [Compose(project, PORT, DIRECTORY / project / LOG) for project in projects(PROJECT)]
    for engine in ended:
        engine.down()
    print(f"{len(ended) or 'no'} LocalStack ended")
    return 0


def logs() -> int:
    """Follow the log of the LocalStack that `up` has left running."""
    process = _lasting(Way.PIP)
    if process.is_up:
        process.logs()
    elif missing_docker() is None and (compose := _lasting(Way.DOCKER)).is_up:
        compose.logs()
    else:
        print("LocalStack is not up")
    return 0


def run(way: Way, command: Sequence[str]) -> int:
    """Run a command against its own LocalStack."""
    started = time.monotonic()
    with localstack(way) as running:
        print(f"LocalStack {running.version} answers after {time.monotonic() - started:.0f} s", flush=True)
        return subprocess.run(command, cwd=ROOT, env=engine_environment(running.environment), check=False).returncode


def test(way: Way, arguments: Sequence[str]) -> int:
    """Package the functions, and run the tests against a LocalStack of their own."""
    package = (str(ROOT / "scripts" / "package_lambdas.py"), *packaging_options(way))
    packaged = subprocess.run([sys.executable, *package], check=False)
    return packaged.returncode or run(way, (sys.executable, "-m", "pytest", *(arguments or TESTS)))


def _lasting(way: Way) -> Compose | Process:
    return _engine(way, int(os.environ.get("LOCALSTACK_PORT") or PORT), "up")


def _engine(way: Way, port: int, name: str) -> Compose | Process:
    log = DIRECTORY / name / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    if way is Way.DOCKER:
        return Compose(PROJECT if name == "up" else f"{PROJECT}-{name}", port, log)
    return Process(port, log)


@entry_point
def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="Run LocalStack: by docker compose where a Docker engine answers, else from PyPI.",
        epilog="LOCALSTACK=docker or LOCALSTACK=pip overrides the choice; LOCALSTACK_PORT is the port of `up`.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start it and leave it running")
    commands.add_parser("down", help="end it")
    commands.add_parser("logs", help="follow its log")
    tests = commands.add_parser("test", help="package the functions and run the tests against one of their own")
    tests.add_argument("arguments", nargs="*", help=f"for pytest, after --; default: {' '.join(TESTS)}")
    command = commands.add_parser("run", help="run a command against its own LocalStack")
    command.add_argument("arguments", nargs="+", help="the command, after --")
    options = parser.parse_args()
    if options.command in ("down", "logs"):
        return {"down": down, "logs": logs}[options.command]()
    way, reason = choose(os.environ)
    print(f"{way.meaning} ({reason})", flush=True)
    if options.command == "up":
        return up(way)
    return (test if options.command == "test" else run)(way, options.arguments)


if __name__ == "__main__":
    sys.exit(main())
