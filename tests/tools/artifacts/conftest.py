"""Functions and wheels made for a test, and the command run on them as a user runs it, without a network."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import sys
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from scripts import ROOT, package_lambdas

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "package_lambdas.py"


class Outcome(NamedTuple):
    """Output of a run of the command."""

    out: str
    err: str


@dataclass(frozen=True)
class Workshop:
    """A folder with functions, an index of wheels and an output folder."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / "lambdas"

    @property
    def output(self) -> Path:
        return self.root / "build"

    @property
    def work(self) -> Path:
        return self.output / ".work"

    @property
    def index(self) -> Path:
        return self.root / "index"

    def wheel(
        self,
        name: str,
        version: str = "1.0",
        tag: str = "py3-none-any",
        *,
        files: Mapping[str, str] | None = None,
        metadata: str = "License-Expression: MIT\n",
        executable: Collection[str] = (),
    ) -> str:
        """Publish a wheel in the index; return its line in a lock."""
        info = f"{name}-{version}.dist-info"
        contents = {
            **(files if files is not None else {f"{name}/__init__.py": f"NAME = {name!r}\n" * 20}),
            f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        record = [f"{path},sha256={_urlsafe(text.encode())},{len(text)}" for path, text in contents.items()]
        contents[f"{info}/RECORD"] = "\n".join((*record, f"{info}/RECORD,,\n"))
        path = self.index / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for inside, text in contents.items():
                member = zipfile.ZipInfo(inside)
                member.external_attr = (0o100755 if inside in executable else 0o100644) << 16
                archive.writestr(member, text)
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def function(self, name: str, lock: str = "", files: Mapping[str, str] | None = None) -> Path:
        """Write a function's folder."""
        return self.package(name, {"__init__.py": "", "handler.py": "", "requirements.txt": lock, **(files or {})})

    def package(self, name: str, files: Mapping[str, str]) -> Path:
        """Write files into a folder next to the functions."""
        folder = self.source / name
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return folder

    def options(self, *arguments: str) -> list[str]:
        return ["--source", str(self.source), "--output", str(self.output), *arguments]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(SCRIPT), *self.options(*arguments)]

    def run(self, *arguments: str, expect: int = 0) -> Outcome:
        """Run the command and check its exit status."""
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            try:
                status: object = package_lambdas.main(self.options(*arguments))
            except SystemExit as exit_:
                status = exit_.code
        outcome = Outcome(out.getvalue(), err.getvalue())
        assert status == expect, outcome
        return outcome

    def manifest(self) -> dict[str, Any]:
        """Return the manifest, after checking that each entry is true."""
        path = self.output / "manifest.json"
        manifest: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        for key, entry in manifest.items():
            content = (self.output / entry["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], key
            assert len(content) == entry["size"], key
            assert (self.output / entry["sbom"]).exists(), key
        return manifest

    def zip(self, key: str) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.output / self.manifest()[key]["path"])

    def names(self, key: str) -> list[str]:
        """Return the paths in a zip, in its order."""
        with self.zip(key) as archive:
            return archive.namelist()

    def bill(self, key: str) -> dict[str, Any]:
        """Return the bill of materials of a zip."""
        bill: dict[str, Any] = json.loads((self.output / self.manifest()[key]["sbom"]).read_text())
        return bill


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Return a workshop whose index is all that uv sees."""
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    workshop = Workshop(tmp_path)
    workshop.index.mkdir()
    settings = {"NO_CONFIG": "1", "NO_INDEX": "1", "FIND_LINKS": str(workshop.index), "CACHE_DIR": str(tmp_path / "uv")}
    for name, value in settings.items():
        monkeypatch.setenv(f"UV_{name}", value)
    return workshop


@pytest.fixture
def greeter(workshop: Workshop) -> Workshop:
    """Return a workshop with one function that needs one package."""
    lock = workshop.wheel("salutation", files={"salutation/__init__.py": "def greet():\n    return 'hello'\n"})
    code = "from salutation import greet\n\n\ndef handler(event, context):\n    return greet()\n"
    workshop.function("greet", lock, {"handler.py": code})
    return workshop
