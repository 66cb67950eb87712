"""The peers: how each is started, what its process says, and why one cannot take part."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from benchmarks.work import Work

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARP = ROOT / ".venvs" / "sharp"

DARKROOM, SIMD, NAIVE = "Darkroom", "Darkroom, SIMD resizer", "Pillow, naive"
DOCUMENTED, CASCADE, VIPS = "sharp, documented", "sharp, hand-tuned", "pyvips thumbnail"


class PeerError(Exception):
    """A peer's process ended, or said what it should not."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to do the work.

    Attributes:
        name: In tables.
        command: Arguments that start its process; the work's file is added.
        arguments: Remaining arguments.
    """

    name: str
    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()


PEERS = (
    Peer(DOCUMENTED, ("node", str(HERE / "peer_sharp.cjs")), ("documented",)),
    Peer(CASCADE, ("node", str(HERE / "peer_sharp.cjs")), ("cascade",)),
    Peer(VIPS, (sys.executable, "-m", "benchmarks.peer_pyvips")),
    Peer(NAIVE, (sys.executable, "-m", "benchmarks.peer_pillow")),
    Peer(DARKROOM, (sys.executable, "-m", "benchmarks.peer_darkroom"), ("--stock",)),
    Peer(SIMD, (sys.executable, "-m", "benchmarks.peer_darkroom")),
)


def missing(peer: Peer, *, quick: bool) -> str | None:
    """Return why a peer cannot take part; None if it can. Install sharp if npm is available."""
    if peer.command[0] == "node":
        return "left out of a quick run" if quick else _install_sharp()
    if peer.name == VIPS and find_spec("pyvips") is None:
        return "pyvips is not installed here; `make benchmark` installs it"
    if peer.name == SIMD:
        program = "import process_image.image, sys; sys.exit('cykooz_resizer' not in sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, check=False)
        return "the core does not use it, or it is not installed here" if done.returncode else None
    return None


def _install_sharp() -> str | None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is missing: install Node.js 20 or newer, with npm"
    lock = HERE / "package-lock.json"
    installed = SHARP / "installed.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return None
    SHARP.mkdir(parents=True, exist_ok=True)
    for file in (HERE / "package.json", lock):
        shutil.copy(file, SHARP)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=SHARP, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"npm ci failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    shutil.copy(lock, installed)
    return None


def environment() -> dict[str, str]:
    """Return the variables with which a peer's process finds itself, the core and sharp."""
    paths = os.pathsep.join(str(ROOT / folder) for folder in (".", "lambdas", "tests"))
    return {**os.environ, "PYTHONPATH": paths, "NODE_PATH": str(SHARP / "node_modules")}


class Worker:
    """A peer's process at one piece of work; to be closed."""

    def __init__(self, peer: Peer, work: Work, folder: Path) -> None:
        self.peer = peer
        file = folder / "work.json"
        work.write(file)
        self._process = subprocess.Popen(
            [*peer.command, str(file), *peer.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
            start_new_session=True,  # Ctrl-C is for the one that sums up; at the end of its input this one ends too
        )
        self.versions: dict[str, str] = self._read()["versions"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr] # it is a pipe
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr] # it is a pipe

    def render(self) -> float:
        """Do the work once; gives CPU seconds."""
        return float(self._ask("render")["cpu"])

    def save(self, folder: Path) -> None:
        """Write what was rendered last."""
        folder.mkdir(parents=True, exist_ok=True)
        self._ask(f"save {folder}")

    def memory(self) -> float:
        """Return the peak memory in MB."""
        return float(self._ask("memory")["peak"])

    def _ask(self, command: str) -> dict[str, Any]:
        print(command, file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()  # type: ignore[union-attr] # it is a pipe
        if not line:
            raise PeerError(f"{self.peer.name} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
