"""The wheels that a lock names, for one target: found by pip, checked by hash, kept for the next build."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, canonicalize_version, parse_wheel_filename

from scripts.artifacts.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from scripts.artifacts.functions import Function
    from scripts.artifacts.targets import Target

_HASH = re.compile(r"\s--hash[= ](\S+)")
_NO_MATCH = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")
_OTHER_VERSIONS = re.compile(r"\(from versions: (.*?)\)")
_UNREACHABLE = re.compile(r"Retrying \(|ConnectionError|Connection refused|Name or service not known")


class MissingWheelError(PackagingError):
    """A locked package has no wheel that runs on the target."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked package.

    Attributes:
        name: Normalised name.
        version: As the lock gives it.
        hashes: SHA-256 of every file that the lock admits, sorted.
    """

    name: NormalizedName
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on the disk whose bytes are the locked ones."""

    pin: Pin
    path: Path
    sha256: str


def pins_for(lock: str, target: Target) -> list[Pin]:
    """The packages that a lock asks for on a target, sorted by name.

    The lock is universal, so its environment markers decide; they are evaluated for the target, where pip
    would take the running interpreter.

    Raises:
        PackagingError: A line is not one package, pinned to one version and locked by SHA-256.
    """
    environment = target.marker_environment()
    pins: dict[str, Pin] = {}
    for line in _logical_lines(lock):
        pin, applies = _parse(line, environment)
        if not applies:
            continue
        if pin.name in pins:
            raise PackagingError(f"the lock pins {pin.name} twice for {target.description}: {pins[pin.name]} and {pin}")
        pins[pin.name] = pin
    return [pins[name] for name in sorted(pins)]


def fetch(function: Function, target: Target, cache: Path, work: Path) -> list[Wheel]:
    """The wheels of a function for a target, sorted by name, downloaded unless the cache holds them.

    Args:
        function: Whose lock names them.
        target: Where they have to run.
        cache: The folder that keeps them.
        work: An empty folder on the same file system, for what is not complete yet.

    Raises:
        MissingWheelError: A package has no wheel for the target.
        PackagingError: The lock is no lock, pip failed, or a download is not what was locked.
    """
    pins = pins_for(function.lock, target)
    places = {pin: cache / _cache_name(pin, target) for pin in pins}
    found = {pin: _cached(pin, place) for pin, place in places.items()}
    missing = [pin for pin, wheel in found.items() if wheel is None]
    if missing:
        for wheel in _download(missing, function, target, work):
            # One folder per package and target: pip's choice among several wheels that would do depends on
            # the target, so a wheel in the cache serves no other. A rename makes it appear at once.
            place = places[wheel.pin]
            place.mkdir(parents=True, exist_ok=True)
            kept = wheel.path.replace(place / wheel.path.name)
            found[wheel.pin] = Wheel(wheel.pin, kept, wheel.sha256)
    return [wheel for wheel in found.values() if wheel is not None]


def _logical_lines(lock: str) -> Iterator[str]:
    joined = re.sub(r"\\\n", " ", lock.replace("\r\n", "\n"))
    for line in joined.splitlines():
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if content:
            yield content


def _parse(line: str, environment: dict[str, str]) -> tuple[Pin, bool]:
    head, *_ = _HASH.split(line)
    shown = head.strip()
    try:
        requirement = Requirement(shown)
        applies = requirement.marker is None or requirement.marker.evaluate(environment)
    except (InvalidRequirement, UndefinedEnvironmentName) as error:
        raise PackagingError(f"the lock holds {shown!r}, which is no pinned package: {error}") from error
    version = re.fullmatch(r"===?([^*]+)", str(requirement.specifier))
    if version is None or requirement.url:
        raise PackagingError(f"the lock holds {shown!r}, which is not pinned: name==version is expected")
    hashes = [value.removeprefix("sha256:") for value in _HASH.findall(line) if value.startswith("sha256:")]
    if not hashes:
        raise PackagingError(f"the lock holds {shown!r} without --hash=sha256:…: lock it with hashes")
    return Pin(canonicalize_name(requirement.name), version[1].strip(), tuple(sorted(hashes))), applies


def _cache_name(pin: Pin, target: Target) -> str:
    key = "\n".join((*pin.hashes, target.python, *target.platforms))
    return f"{pin.name}-{pin.version}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _cached(pin: Pin, place: Path) -> Wheel | None:
    for path in sorted(place.glob("*.whl")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in pin.hashes:
            return Wheel(pin, path, digest)
        path.unlink()  # damaged: fetch it again
    return None


def _download(pins: Sequence[Pin], function: Function, target: Target, work: Path) -> list[Wheel]:
    wanted, folder = work / "wanted.txt", work / "wheels"
    lines = [f"{pin} " + " ".join(f"--hash=sha256:{digest}" for digest in pin.hashes) for pin in pins]
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    abi = "cp" + target.python.replace(".", "")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", str(folder)),
        *("--implementation", "cp", "--python-version", target.python),
        *("--abi", abi, "--abi", "abi3", "--abi", "none"),
        *(option for platform in target.platforms for option in ("--platform", platform)),
        *("--requirement", str(wanted)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _explain(done.stderr or done.stdout, pins, function, target)

    wheels = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        wheels[name, canonicalize_version(version)] = path
    return [_verified(pin, wheels[pin.name, canonicalize_version(pin.version)]) for pin in pins]


def _verified(pin: Pin, path: Path) -> Wheel:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest not in pin.hashes:
        raise PackagingError(f"{path.name} is not a file that the lock admits (sha256 {digest})")
    return Wheel(pin, path, digest)


def _explain(output: str, pins: Sequence[Pin], function: Function, target: Target) -> PackagingError:
    """Turn pip's complaint into one that says what to do."""
    names = ", ".join(map(str, pins))
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("WARNING: Location")]
    details = "\n".join(f"    {line.strip()}" for line in lines[-6:])
    if "No module named pip" in output:
        return PackagingError(f"{sys.executable} has no pip, which fetches the wheels: install pip there")
    if _UNREACHABLE.search(output):
        return PackagingError(
            f"the package index cannot be reached, and the cache does not hold yet: {names}\n    {lines[0]}"
        )
    if "DO NOT MATCH THE HASHES" in output:
        return PackagingError(
            f"a package that {function.name} needs is not one that its lock admits: the lock is older than "
            f"the wheel, or somebody changed it\n{details}"
        )
    missing = _NO_MATCH.search(output)
    pin = next((pin for pin in pins if missing and pin.name == canonicalize_name(missing[1])), None)
    if pin is None:
        return PackagingError(f"pip could not download {names}:\n{details}")
    offered = _OTHER_VERSIONS.search(output)
    others = [] if offered is None or offered[1] == "none" else offered[1].split(", ")
    return MissingWheelError(
        f"{pin.name} {pin.version}, which {function.name} needs, has no wheel for {target.description}.\n"
        f"  Nothing is compiled here, so it cannot be packaged for this target.\n"
        f"  Versions with a wheel for it: {', '.join(others[-8:]) or 'none that the index shows'}.\n"
        f"  What to do: ask for a version that has one in {function.name}/requirements.in and lock again, "
        f"or build other targets (--arch, --python)."
    )
