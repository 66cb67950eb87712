"""The embedded emulator: MiniStack on a loopback port, for as long as a `with` block or a command runs.

    python scripts/run_ministack.py -- terraform -chdir=terraform plan

runs a command against a fresh emulator, with the environment that the AWS SDKs and Terraform read.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

from scripts import ROOT
from scripts.process.entry_point import ToolError
from scripts.process.environment import engine_settings, inherited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MINISTACK = ROOT / ".venvs" / "ministack" / "bin" / "ministack"

START_SECONDS = 60
STOP_SECONDS = 10

PORTS = range(20_000, 32_000)  # systems give connections higher ones

STARTS = 3

SAVED = "saved"  # exists while the state on disk is complete


@dataclass(frozen=True)
class Emulator:
    """A running emulator.

    Attributes:
        endpoint: Its URL; TLS, as the policies of queues, topics and buckets refuse anything else.
        authority: The certificate to trust it by.
        pid: Its process.
        log: The file it writes to.
        restored: It started with the state of an earlier run.
    """

    endpoint: str
    authority: Path
    pid: int
    log: Path
    restored: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which a process takes the emulator for AWS."""
        return {**engine_settings(self.endpoint), "AWS_CA_BUNDLE": str(self.authority)}


@contextmanager
def ministack(directory: Path, *, persist: bool = False) -> Iterator[Emulator]:
    """Run MiniStack, with IAM enforced, until the block ends, however it ends.

    Args:
        directory: Folder of its log `ministack.log` and, with `persist`, of its state.
        persist: Start with what a former run in this directory left, at the same port, if that run ended in
            order: state is saved at the end.

    Raises:
        ToolError: It is not installed or does not start.
    """
    if not MINISTACK.exists():
        raise ToolError("MiniStack is not installed: run `make setup`.")
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "ministack.log"
    restored = persist and (directory / SAVED).exists()
    if persist and not restored:
        forget(directory)
    port = _port(directory if persist else None)
    endpoint = f"https://127.0.0.1:{port}"
    authority, certificate = _issue_certificate(directory)
    temporary = directory / "tmp"  # for the unpacked functions
    shutil.rmtree(temporary, ignore_errors=True)  # the state of a killed run
    temporary.mkdir()
    environment = {
        # MiniStack and the functions run in another Python environment than this process.
        **inherited("AWS_", "PYTHON"),
        "TMPDIR": str(temporary),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(certificate),
        # The functions' environment begins with the emulator's.
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": str(authority),
        "LAMBDA_EXECUTOR": "local",
    }
    if persist:
        environment |= {"PERSIST_STATE": "1", "S3_PERSIST": "1"}
        environment |= {"STATE_DIR": str(directory / "state"), "S3_DATA_DIR": str(directory / "s3")}
    try:
        process = _start(environment, endpoint, authority, log)
        try:
            (directory / SAVED).unlink(missing_ok=True)
            yield Emulator(endpoint, authority, process.pid, log, restored)
        finally:
            if _stop(process) and persist:
                (directory / SAVED).touch()
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _start(environment: Mapping[str, str], endpoint: str, authority: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start MiniStack and wait until it answers.

    It also listens on port 443 if that is free, and ends if another emulator takes that port at the same moment. It is
    then started again.

    Raises:
        ToolError: It does not start.
    """
    for attempt in range(1, STARTS + 1):
        with log.open("w") as output:
            # In its own session, so that only this process gets Ctrl-C and stops the emulator in order.
            process = subprocess.Popen(
                [str(MINISTACK)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_healthy(process, endpoint, authority, log)
            break
        except ToolError:
            _stop(process)
            if attempt == STARTS or "Address already in use" not in log.read_text(errors="replace"):
                raise
        except BaseException:
            _stop(process)
            raise
    return process


def forget(directory: Path) -> None:
    """Delete the state, so the next run with `persist` in this directory starts empty, on another port."""
    for name in (SAVED, "port"):
        (directory / name).unlink(missing_ok=True)
    for name in ("state", "s3"):
        shutil.rmtree(directory / name, ignore_errors=True)


def _port(directory: Path | None) -> int:
    """Return a free port; if possible the previous one of this directory, because URLs in the state contain it."""
    remembered = directory / "port" if directory else None
    if remembered and remembered.exists():
        port = int(remembered.read_text())
        if not _is_free(port):
            raise ToolError(
                f"port {port}, which the last run used, is taken: end what uses it, or run `make clean-demo`."
            )
        return port
    # Processes that look for a port at the same time begin at different ones.
    port = next(port for port in (PORTS[(os.getpid() + n) % len(PORTS)] for n in range(len(PORTS))) if _is_free(port))
    if remembered:
        remembered.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the last run may linger
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _issue_certificate(directory: Path) -> tuple[Path, Path]:
    """Write a certificate for the loopback address, and that of a temporary authority that signs it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority_file, certificate_file = directory / "authority.pem", directory / "certificate.pem"
    authority.cert_pem.write_to_path(authority_file)
    certificate_file.touch(mode=0o600)
    issued.private_key_and_cert_chain_pem.write_to_path(certificate_file)
    return authority_file, certificate_file


def _wait_until_healthy(process: subprocess.Popen[bytes], endpoint: str, authority: Path, log: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(authority))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ToolError(f"MiniStack ended at its start with code {process.returncode}: see {log}")
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", context=trusting, timeout=2):  # noqa: S310
                return
        except OSError:  # not listening yet
            time.sleep(0.1)
    raise ToolError(f"MiniStack did not answer within {START_SECONDS} s: see {log}")


def _stop(process: subprocess.Popen[bytes]) -> bool:
    """Stop the emulator and its child processes, and return True if it saved its state and ended in order."""
    running = process.poll() is None
    try:
        if running:
            # To its whole group: it would wait half a minute for the connections that idle functions keep open.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # The functions' processes are in its session; none may outlive it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return running and process.returncode == 0
