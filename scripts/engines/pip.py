"""LocalStack from PyPI, for machines without a Docker engine, with what localstack_adapter/ adds to it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts import ROOT
from scripts.engines.localstack import ANSWER_SECONDS, HOST, LocalStack, Way, ask, url
from scripts.process.entry_point import ToolError
from scripts.process.environment import inherited

REQUIREMENTS = ROOT / "requirements" / "localstack.txt"
ADAPTER = ROOT / "localstack_adapter"
START_SCRIPTS = ADAPTER / "start.d"
VENV = ROOT / ".venvs" / "localstack"
PYTHON = VENV / "bin" / "python"

# LocalStack needs Python 3.12, and its dependencies do not support 3.14, regardless of its metadata.
PYTHONS = ((3, 13), (3, 12))

RUNNING = "process.json"
"""File next to the log with the number of the process, until the process has ended in order."""

START_SECONDS = 120
STOP_SECONDS = 30


def install() -> None:
    """Install LocalStack into its own environment, unless it is installed.

    Raises:
        ToolError: There is no Python that it runs on, or pip has failed.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + (ADAPTER / "pyproject.toml").read_bytes()).hexdigest()
    installed = VENV / ".installed"
    if installed.exists() and installed.read_text() == wanted:
        return
    python = find_python()
    print(f"installing {REQUIREMENTS.relative_to(ROOT)} into {VENV.relative_to(ROOT)} with {python} (once)", flush=True)
    pip = (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    for command in (
        (python, "-m", "venv", "--clear", str(VENV)),
        (*pip, "--require-hashes", "--requirement", str(REQUIREMENTS)),
        (*pip, "--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ADAPTER)),
    ):
        if subprocess.run(command, check=False).returncode:
            raise ToolError(f"LocalStack could not be installed: {' '.join(command)} failed")
    installed.write_text(wanted)


def find_python() -> str:
    """Return a Python that LocalStack supports: this one, one on the PATH, or one of pyenv.

    Raises:
        ToolError: No such Python is installed.
    """
    if named := os.environ.get("LOCALSTACK_PYTHON"):
        if _version(named) not in PYTHONS:
            raise ToolError(f"LOCALSTACK_PYTHON={named} is no Python {_wanted()}")
        return named
    if sys.version_info[:2] in PYTHONS:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for version in PYTHONS:
        name = ".".join(map(str, version))
        for found in (f"python{name}", *(str(p) for p in sorted(pyenv.glob(f"{name}.*/bin/python{name}")))):
            if _version(found) == version:
                return found
    raise ToolError(
        f"LocalStack from PyPI needs Python {_wanted()}, and there is none on the PATH: "
        "install one, or name it by LOCALSTACK_PYTHON, or start a Docker engine"
    )


def _wanted() -> str:
    return " or ".join(".".join(map(str, version)) for version in reversed(PYTHONS))


def _version(python: str) -> tuple[int, ...] | None:
    """Return the version of a Python that can create environments."""
    program = "import ensurepip, sys, venv; print(*sys.version_info[:2])"
    try:
        run = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return tuple(map(int, run.stdout.split()))


class Process:
    """LocalStack as one process, with all its files in one folder."""

    def __init__(self, port: int, log: Path) -> None:
        """Describe it, without starting it.

        Args:
            port: On the loopback address.
            log: File of its log. Its other files are next to it until it ends.
        """
        self._port, self._log = port, log
        self._files = log.parent / "files"
        self._remembered = log.parent / RUNNING
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> LocalStack:
        """Start it, unless it is up, and wait until it is healthy.

        Raises:
            ToolError: It cannot be installed, or does not start.
        """
        if self.is_up and (running := self._ask()):
            return LocalStack(Way.PIP, url(self._port), running["version"])
        install()
        self._check_port()
        shutil.rmtree(self._files, ignore_errors=True)
        (self._files / "tmp").mkdir(parents=True)
        scripts = self._files / "etc" / "localstack" / "init"
        scripts.mkdir(parents=True)
        (scripts / START_SCRIPTS.name).symlink_to(START_SCRIPTS)
        with self._log.open("w") as log:
            # In its own session, so that only this process gets Ctrl-C and stops LocalStack in order.
            self._process = subprocess.Popen(
                [str(PYTHON), "-m", "localstack.runtime.main"],
                env=self._environment(),
                cwd=self._files,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            running = self._wait(self._process)
        except BaseException:
            self._end(self._process.pid)
            raise
        about = {"pid": self._process.pid, "port": self._port, "session": running["session_id"]}
        self._remembered.write_text(json.dumps(about))
        return LocalStack(Way.PIP, url(self._port), running["version"])

    def down(self) -> None:
        """Stop it, and remove its data except the log."""
        if self._process is not None:
            self._end(self._process.pid)
        elif self.is_up:
            self._end(json.loads(self._remembered.read_text())["pid"])
        self._remembered.unlink(missing_ok=True)
        shutil.rmtree(self._files, ignore_errors=True)

    def logs(self) -> None:
        """Show its log, as it grows."""
        subprocess.run(["tail", "-n", "+1", "-f", str(self._log)], check=False)

    @property
    def is_up(self) -> bool:
        """True if the LocalStack started here runs. Port and process number may be reused, so its answer decides."""
        if not self._remembered.exists():
            return False
        about = json.loads(self._remembered.read_text())
        self._port = about["port"]
        running = self._ask()
        return running is not None and running.get("session_id") == about["session"]

    def _ask(self) -> dict[str, Any] | None:
        return ask(url(self._port), "info")

    def _environment(self) -> dict[str, str]:
        return {
            **inherited("AWS_", "LAMBDA_", "LOCALSTACK", "PYTHON"),
            "DISABLE_EVENTS": "1",  # no usage data to the vendor
            "DNS_ADDRESS": "0",  # no name server
            "FILESYSTEM_ROOT": str(self._files),
            "GATEWAY_LISTEN": f"{HOST}:{self._port}",
            "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            "LAMBDA_PROCESS_PYTHON": sys.executable,  # what `package_lambdas.py --local` packages for
            "OVERRIDE_IN_DOCKER": "0",  # though the whole machine may be a container
            "PROVIDER_OVERRIDE_DYNAMODB": "moto",
            "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "moto",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "TEMP": str(self._files / "tmp"),
            "TMPDIR": str(self._files / "tmp"),
            "XDG_CACHE_HOME": str(self._files / "cache"),
        }

    def _check_port(self) -> None:
        with socket.socket() as probe:
            # Connections of the last one that linger are no obstacle; who listens is.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self._port))
            except OSError as error:
                raise ToolError(f"port {self._port} is taken: set LOCALSTACK_PORT to another") from error

    def _wait(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        deadline = time.monotonic() + START_SECONDS
        while (running := self._ask()) is None:
            if process.poll() is not None:
                raise ToolError(f"LocalStack ended at its start with code {process.returncode}: see {self._log}")
            if time.monotonic() > deadline:
                raise ToolError(f"LocalStack did not answer within {START_SECONDS} s: see {self._log}")
            time.sleep(0.2)
        return running

    def _end(self, pid: int) -> None:
        for number, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, ANSWER_SECONDS)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if self._process and self._process.pid == pid:
                    self._process.poll()  # without it the child stays a zombie
                if _has_ended(pid):
                    return
                time.sleep(0.1)


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
