"""The wheels that a function's lock names: chosen for a target and installed by uv, checked by hash.

uv's cache serves the second build without a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from uv import find_uv_bin

from scripts.artifacts.archive import Entry, conflict, is_needed
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.artifacts.functions import Function
    from scripts.artifacts.targets import Target

_ADVICE = {
    "no wheels with": "Nothing is compiled here. Ask for a version that has a wheel in {name}/requirements.in and run "
    "`make lock`, or build other targets (--arch, --python)",
    "Failed to fetch": "The package index is out of reach. Check the network and the proxy, or set UV_DEFAULT_INDEX",
    "Hash mismatch": "The file is not the one that was locked. Find out who changed it, then run `make lock`",
    "": "Correct {name}/requirements.in and run `make lock`",
}


class Wheel(NamedTuple):
    """An installed wheel.

    Attributes:
        name: Normalised name of the package.
        version: Version, as the lock has it.
        filename: Name of the wheel's file.
        sha256: SHA-256 of the wheel's file, in hexadecimal.
        distribution: Its metadata.
        entries: The files of it that a function needs.
    """

    name: str
    version: str
    filename: str
    sha256: str
    distribution: Distribution
    entries: list[Entry]

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def install(function: Function, target: Target, cache: Path, work: Path) -> list[Wheel]:
    """Install what a function's lock names for a target, and return it sorted by name.

    Args:
        function: The function.
        target: The target of its zip.
        cache: A folder that keeps which wheels were chosen for which lock and target.
        work: A folder for the installed files.

    Raises:
        ToolError: A package has no wheel for the target, is not locked, cannot be fetched, or is damaged.
    """
    chosen = _choose(function, target, cache, work)
    # uv does not check what its cache holds, so a damaged file is fetched again.
    for option in ("--offline", "--refresh", "--no-cache"):
        prefix = work / "installed"
        shutil.rmtree(prefix, ignore_errors=True)
        # Not --target, which puts scripts and data files among the modules.
        arguments = ("install", option, "--prefix", str(prefix), "--require-hashes", "--requirement", str(chosen))
        failed = _run_uv(arguments, target)
        if not failed:
            found = _read(prefix, chosen)
            damaged = [f"{wheel}: {path}" for wheel, paths in found for path in paths]
            if not damaged:
                return [wheel for wheel, _ in found]
        elif option != "--offline":
            chosen.unlink()  # the next build asks the index again
            raise _explain(failed, function, target)
    raise ToolError(f"{', '.join(damaged)}: not what RECORD in the wheel says. Choose another version")


def _choose(function: Function, target: Target, cache: Path, work: Path) -> Path:
    """Return a pylock.toml with the wheels that are in the lock and run on the target.

    It is kept for the next build: another answer of the index must not change the choice.
    """
    key = hashlib.sha256(json.dumps([function.lock, *target.uv_options, sys.version]).encode()).hexdigest()
    kept = cache / f"pylock.{key[:16]}.toml"
    if kept.exists():
        return kept
    lock, answer = work / "requirements.txt", work / "pylock.toml"
    lock.write_text(function.lock, encoding="utf-8")
    arguments = ("compile", str(lock), "--output-file", str(answer), "--no-header")
    failed = _run_uv(arguments, target)
    if failed and _run_uv((*arguments, "--offline"), target):
        raise _explain(failed, function, target)
    text = 'lock-version = "1.0"\ncreated-by = "darkroom"\npackages = [\n'
    for package in tomllib.loads(answer.read_text(encoding="utf-8"))["packages"]:
        wheels = [
            f"{{ url = {json.dumps(wheel['url'])}, hashes = {{ sha256 = {json.dumps(wheel['hashes']['sha256'])} }} }}"
            for wheel in package.get("wheels", [])
            if f"sha256:{wheel['hashes']['sha256']}" in function.lock
        ]
        if not wheels:
            raise ToolError(
                f"{package['name']} {package.get('version', '')}: {function.name}/requirements.txt has no hash "
                f"(--hash=sha256:…) of a wheel that the index offers for {target}. Find out why, then run `make lock`"
            )
        text += f'{{ name = "{package["name"]}", version = "{package["version"]}", wheels = [{", ".join(wheels)}] }},\n'
    answer.write_text(text + "]\n", encoding="utf-8")
    cache.mkdir(parents=True, exist_ok=True)
    return answer.replace(kept)


def _run_uv(arguments: Sequence[str], target: Target) -> str:
    """Run `uv pip`; return what it reports if it fails, else nothing."""
    common = ("--quiet", "--no-deps", "--only-binary", ":all:", "--python", sys.executable, *target.uv_options)
    done = subprocess.run([find_uv_bin(), "pip", *arguments, *common], capture_output=True, text=True, check=False)
    return done.stderr or f"exit status {done.returncode}" if done.returncode else ""


def _explain(report: str, function: Function, target: Target) -> ToolError:
    advice = next(advice for symptom, advice in _ADVICE.items() if symptom in report).format(name=function.name)
    details = "\n".join(f"    {line}" for line in report.splitlines() if line.strip())
    return ToolError(f"the wheels of {function.name} for {target}:\n{details}\n  {advice}")


def _read(prefix: Path, chosen: Path) -> list[tuple[Wheel, list[str]]]:
    """Return each installed wheel with the paths of its files that are not as its RECORD says."""
    packages = {package["name"]: package for package in tomllib.loads(chosen.read_text(encoding="utf-8"))["packages"]}
    site = next(prefix.glob("lib*/python*/site-packages"), prefix)
    found = []
    owners: dict[str, tuple[str, str]] = {}
    for distribution in sorted(distributions(path=[str(site)]), key=lambda one: canonicalize_name(one.name)):
        package = packages[canonicalize_name(distribution.name)]
        filename, sha256 = _identify(distribution, package)
        wheel = Wheel(package["name"], package["version"], filename, sha256, distribution, [])
        damaged = []
        for path in distribution.files or ():
            if path.parts[0] == ".." or not is_needed(path.as_posix()):
                continue
            content = (site / path).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            recorded = path.hash.value if path.hash and path.hash.mode == "sha256" else digest
            owner, expected = owners.setdefault(path.as_posix(), (str(wheel), recorded))
            if recorded != expected:
                raise conflict(owner, str(wheel), path.as_posix())
            if recorded != digest:
                damaged.append(path.as_posix())
            wheel.entries.append(Entry(path.as_posix(), content, bool((site / path).stat().st_mode & 0o100)))
        found.append((wheel, damaged))
    return found


def _identify(distribution: Distribution, package: dict[str, Any]) -> tuple[str, str]:
    """Return the file name and the SHA-256 of the wheel that was installed, among those that could have been."""
    wheels = {unquote(urlsplit(wheel["url"]).path).rpartition("/")[2]: wheel for wheel in package["wheels"]}
    text = distribution.read_text("WHEEL") or ""
    tags = {tag for line in re.findall(r"^Tag: (.+)$", text, re.MULTILINE) for tag in parse_tag(line.strip())}
    names = [name for name in wheels if len(wheels) == 1 or parse_wheel_filename(name)[3] == tags]
    if len(names) != 1:
        raise ToolError(
            f"{package['name']} {package['version']} is one of {', '.join(wheels)}, and its WHEEL file does not say "
            f"which. Keep the hash of only one of them in the lock"
        )
    return names[0], wheels[names[0]]["hashes"]["sha256"]
