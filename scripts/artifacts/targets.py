"""Targets of a zip: a CPU, a version of Python, a platform."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass

from scripts.process.entry_point import WRONG_USAGE, ToolError

ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""AWS's name of each CPU, and the name that Linux wheels have."""

DEFAULT_PYTHON = "3.13"

LAMBDA_GLIBC = 34
"""Minor version of glibc 2 in Amazon Linux 2023, on which Lambda runs Python since 3.12."""

OLDEST_LAMBDA_PYTHON = 12
"""Minor version. Lambda's 3.11 runs on Amazon Linux 2, whose glibc 2.26 is too old for today's wheels."""


@dataclass(frozen=True, slots=True)
class Target:
    """A CPU and a Python that run a zip.

    Attributes:
        architecture: AWS's name of the CPU: `arm64` or `x86_64`.
        python: Version of CPython, as `3.13`.
        local_only: Only this machine can run the zip, Lambda cannot.
    """

    architecture: str
    python: str
    local_only: bool = False

    def artifact(self, function: str) -> str:
        """Return the name of a function's zip without its extension, which is its key in the manifest."""
        return f"{function}-{self.architecture}-{self.runtime}"

    @property
    def runtime(self) -> str:
        """Lambda's name of the Python version, as `python3.13`."""
        return f"python{self.python}"

    @property
    def folder(self) -> str:
        """Subfolder of the output folder that its zips are in; those for Lambda are in none."""
        return "local" if self.local_only else ""

    @property
    def uv_options(self) -> tuple[str, ...]:
        """Options of uv that choose wheels and evaluate markers for the target; without them, for this machine."""
        if self.local_only:
            return ()
        manylinux = f"{ARCHITECTURES[self.architecture]}-manylinux_2_{LAMBDA_GLIBC}"
        return ("--python-platform", manylinux, "--python-version", self.python)

    def __str__(self) -> str:
        system = sys.platform if self.local_only else f"Lambda, Linux, glibc 2.{LAMBDA_GLIBC}"
        return f"Python {self.python} on {self.architecture} ({system})"


def lambda_target(architecture: str, python: str) -> Target:
    """Return the target for Lambda's own Python on an architecture.

    Raises:
        ToolError: Lambda has no such Python, or runs it on a system that is too old for today's wheels.
    """
    version = re.fullmatch(r"3\.(\d+)", python)
    if not version or int(version[1]) < OLDEST_LAMBDA_PYTHON:
        raise ToolError(
            f"--python {python}: zips for Lambda need Python 3.{OLDEST_LAMBDA_PYTHON} or later (Amazon Linux 2023). "
            f"Use --local for the interpreter of this machine",
            WRONG_USAGE,
        )
    return Target(architecture, python)


def local_target() -> Target:
    """Return the target for this interpreter on this machine, where an emulator runs the functions as processes.

    A Linux machine that runs all wheels that Lambda runs uses Lambda's zip of the same architecture and Python.
    Other machines (macOS, musl, an older glibc) get zips that are never deployed.

    Raises:
        ToolError: Lambda does not have this machine's CPU.
    """
    machine = platform.machine().lower()
    architecture = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}.get(machine)
    if architecture is None:
        raise ToolError(
            f"--local: this machine's CPU is {machine}. Lambda has {' and '.join(ARCHITECTURES)}", WRONG_USAGE
        )
    library, version = platform.libc_ver()
    like_lambda = sys.platform == "linux" and library == "glibc" and int(version.split(".")[1]) >= LAMBDA_GLIBC
    return Target(architecture, f"{sys.version_info.major}.{sys.version_info.minor}", local_only=not like_lambda)
