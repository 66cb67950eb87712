"""What a zip is built for: a CPU, a version of Python, and the wheels that run there."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass

from scripts.artifacts.errors import PackagingError

ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""AWS's name of a CPU and the name that Linux wheels carry."""

DEFAULT_PYTHON = "3.13"

LAMBDA_GLIBC = 34
"""Minor version of glibc 2 in Amazon Linux 2023, on which Lambda runs Python since 3.12."""

OLDEST_LAMBDA_PYTHON = 12
"""Minor version; Lambda's 3.11 runs on Amazon Linux 2, whose glibc 2.26 is too old for today's wheels."""

FOLDERS = ("", "local")
"""Where zips lie in the output folder: such as Lambda runs, and such as only this machine runs."""

_OLDEST_MANYLINUX = {"aarch64": 17, "x86_64": 5}
_MANYLINUX_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a zip runs.

    Attributes:
        architecture: AWS's name of the CPU: `arm64` or `x86_64`.
        python: Version of CPython, as `3.13`.
        platforms: Platform tags of the wheels that run there, the best first.
        system: Python's `sys.platform` there.
        folder: Where its zips lie in the output folder: one of `FOLDERS`.
        description: For messages.
    """

    architecture: str
    python: str
    platforms: tuple[str, ...]
    system: str
    folder: str
    description: str

    def artifact(self, function: str) -> str:
        """Name of a function's zip for this target, without its extension; also its key in the manifest."""
        return f"{function}-{self.architecture}-python{self.python}"

    @property
    def runtime(self) -> str:
        """Lambda's name of the Python version, as `python3.13`."""
        return f"python{self.python}"

    def marker_environment(self) -> dict[str, str]:
        """The values of environment markers (PEP 508) on this target.

        The patch release, which no lock knows, counts as 0, as it does for resolvers.
        """
        darwin = self.system == "darwin"
        return {
            "extra": "",
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.architecture if darwin else ARCHITECTURES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Darwin" if darwin else "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": self.system,
        }


def lambda_target(architecture: str, python: str) -> Target:
    """The target of Lambda's own Python on an architecture.

    Raises:
        PackagingError: Lambda has no such Python, or one on a system too old for today's wheels.
    """
    version = re.fullmatch(r"3\.(\d+)", python)
    if not version or int(version[1]) < OLDEST_LAMBDA_PYTHON:
        raise PackagingError(
            f"--python {python}: the zips for Lambda are made for Python 3.{OLDEST_LAMBDA_PYTHON} and later "
            f"(Amazon Linux 2023); for this machine's own interpreter use --local"
        )
    return _linux(architecture, python)


def local_target() -> Target:
    """The target of this interpreter on this machine, where an emulator runs the functions as processes.

    A Linux machine that runs all wheels that Lambda runs shares Lambda's artifact of the same architecture
    and Python. The artifacts of any other (macOS, musl, an older glibc) get a folder and a manifest of their
    own, so that they are never deployed.

    Raises:
        PackagingError: The machine has a CPU that Lambda has not.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine = platform.machine().lower()
    architecture = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}.get(machine)
    if architecture is None:
        raise PackagingError(
            f"--local: this machine's CPU is {machine}; Lambda and its emulators know arm64 and x86_64"
        )
    if sys.platform == "linux" and _glibc_minor() >= LAMBDA_GLIBC:
        return _linux(architecture, python)

    from packaging.tags import platform_tags  # noqa: PLC0415 - costs time that most calls need not spend

    return Target(
        architecture=architecture,
        python=python,
        platforms=tuple(platform_tags()),
        system=sys.platform,
        folder="local",
        description=f"this machine ({sys.platform}, {architecture}), Python {python}",
    )


def _linux(architecture: str, python: str) -> Target:
    machine = ARCHITECTURES[architecture]
    platforms = []
    for minor in range(LAMBDA_GLIBC, _OLDEST_MANYLINUX[machine] - 1, -1):
        platforms.append(f"manylinux_2_{minor}_{machine}")
        if minor in _MANYLINUX_ALIASES:
            platforms.append(f"{_MANYLINUX_ALIASES[minor]}_{machine}")
    return Target(
        architecture=architecture,
        python=python,
        platforms=tuple(platforms),
        system="linux",
        folder="",
        description=f"Linux on {architecture} (glibc 2.{LAMBDA_GLIBC} or older), Python {python}",
    )


def _glibc_minor() -> int:
    """Minor version of this machine's glibc 2; 0 where there is none."""
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):  # musl does not know the name
        return 0
    found = re.fullmatch(r"glibc 2\.(\d+).*", version)
    return int(found[1]) if found else 0
