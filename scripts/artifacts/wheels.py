"""The wheels that a function's lock names: chosen for a target, checked by hash and installed by uv.

uv's cache serves the second build without a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from uv import find_uv_bin

from scripts.artifacts.archive import Entry
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from scripts.artifacts.functions import Function
    from scripts.artifacts.targets import Target

_KEPT_METADATA = (
    "METADATA",  # importlib.metadata: name, version, requirements
    "entry_points.txt",  # importlib.metadata: plug-ins
    *("licenses/*", "license_files/*", "LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"),
    "sboms/*",  # PEP 770: what the wheel's author says about the libraries inside
)


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


def install(function: Function, target: Target, work: Path) -> list[Wheel]:
    """Install what a function's lock names for a target into an empty folder, and return it sorted by name.

    Raises:
        ToolError: A package has no wheel for the target, is not locked, cannot be fetched, or has other bytes.
    """
    lock, choice, prefix = work / "requirements.txt", work / "pylock.toml", work / "installed"
    lock.write_text(function.lock, encoding="utf-8")
    compile_ = ("compile", str(lock), "--output-file", str(choice), "--no-header")
    report = _run_uv(target, *compile_)
    if not report or not _run_uv(target, *compile_, "--offline"):
        packages = _keep_locked(function, target, choice)
        # Not --target, which puts scripts and data files among the modules.
        install_ = ("install", "--require-hashes", "--requirement", str(choice), "--prefix", str(prefix))
        report = _run_uv(target, *install_, "--offline") and _run_uv(target, *install_)
    if report:
        details = "\n".join(f"    {line}" for line in report.splitlines() if line.strip())
        raise ToolError(
            f"the wheels of {function.name} for {target}:\n{details}\n"
            f"  If uv reaches the index, choose versions that have wheels (nothing is compiled here) in "
            f"{function.name}/requirements.in and run `make lock`, or build other targets (--arch, --python)"
        )
    return _read(next(prefix.glob("lib*/python*/site-packages"), prefix), packages)


def _run_uv(target: Target, *arguments: str) -> str:
    """Run `uv pip`; return what it reports if it fails, else nothing."""
    common = ("--quiet", "--no-deps", "--only-binary", ":all:", "--python", sys.executable, *target.uv_options)
    done = subprocess.run([find_uv_bin(), "pip", *arguments, *common], capture_output=True, text=True, check=False)
    return done.stderr or f"exit status {done.returncode}" if done.returncode else ""


def _keep_locked(function: Function, target: Target, choice: Path) -> dict[str, Any]:
    """Reduce a pylock.toml to the wheels whose hash is in the function's lock, and return its packages by name."""
    packages = {package["name"]: package for package in tomllib.loads(choice.read_text(encoding="utf-8"))["packages"]}
    text = 'lock-version = "1.0"\ncreated-by = "darkroom"\npackages = [\n'
    for name, package in packages.items():
        wheels = [wheel for wheel in package.get("wheels", []) if wheel["hashes"]["sha256"] in function.lock]
        if not wheels:
            raise ToolError(
                f"{name} {package.get('version', '')}: {function.name}/requirements.txt has no hash "
                f"(--hash=sha256:…) of a wheel that the index offers for {target}. Find out why, then run `make lock`"
            )
        package["wheels"] = wheels
        inline = (
            f"{{ url = {json.dumps(one['url'])}, hashes.sha256 = '{one['hashes']['sha256']}' }}" for one in wheels
        )
        text += f'{{ name = "{name}", version = "{package["version"]}", wheels = [{", ".join(inline)}] }},\n'
    choice.write_text(text + "]\n", encoding="utf-8")
    return packages


def _read(site: Path, packages: Mapping[str, Any]) -> list[Wheel]:
    """Return the wheels that uv installed, with the files that a function needs."""
    found = []
    for distribution in sorted(distributions(path=[str(site)]), key=lambda one: canonicalize_name(one.name)):
        package = packages[canonicalize_name(distribution.name)]
        wheel = Wheel(package["name"], package["version"], *_identify(distribution, package), distribution, [])
        for path in filter(_is_needed, distribution.files or ()):
            content = (site / path).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            if path.hash and path.hash.value != digest:
                raise ToolError(
                    f"{wheel}: {path} is not what RECORD in the wheel says. Another package holds a file with the same "
                    f"path, or uv's cache is damaged (run `uv cache clean`)"
                )
            wheel.entries.append(Entry(path.as_posix(), content, bool((site / path).stat().st_mode & 0o100)))
        found.append(wheel)
    return found


def _is_needed(path: PurePosixPath) -> bool:
    """Return True if a function reads an installed file; tests, type stubs and installers' metadata are not read."""
    folder, _, inside = path.as_posix().partition("/")
    if folder.endswith(".dist-info"):
        return any(fnmatchcase(inside, pattern) for pattern in _KEPT_METADATA)
    ignored = {"..", "__pycache__", "tests"} & {*path.parts[:-1]}
    return not ignored and not path.name.endswith((".pyc", ".pyi", "py.typed"))


def _identify(distribution: Distribution, package: Mapping[str, Any]) -> tuple[str, str]:
    """Return the file name and the SHA-256 of the wheel that was installed, among those that could have been."""
    wheels = {unquote(urlsplit(wheel["url"]).path).rpartition("/")[2]: wheel for wheel in package["wheels"]}
    stated = re.findall(r"^Tag: (\S+)", distribution.read_text("WHEEL") or "", re.MULTILINE)
    tags = {tag for text in stated for tag in parse_tag(text)}
    names = [name for name in wheels if len(wheels) == 1 or parse_wheel_filename(name)[3] == tags]
    if len(names) != 1:
        raise ToolError(
            f"{package['name']} {package['version']} is one of {', '.join(wheels)}, and its WHEEL file does not say "
            f"which. Keep the hash of only one of them in the lock"
        )
    return names[0], wheels[names[0]]["hashes"]["sha256"]
