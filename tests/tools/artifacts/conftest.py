"""Functions and wheels made on the fly, and the command run on them as a user runs it: offline."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "package_lambdas.py"


@dataclass(frozen=True)
class Workshop:
    """A place of its own with functions, an index of wheels and an output folder."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        return self.root / "lambdas"

    @property
    def output(self) -> Path:
        return self.root / "build"

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
        compression: int = zipfile.ZIP_DEFLATED,
    ) -> str:
        """Publish a wheel in the index; gives its line in a lock."""
        self.index.mkdir(exist_ok=True)
        info = f"{name}-{version}.dist-info"
        contents = {
            **(files if files is not None else {f"{name}/__init__.py": f"NAME = {name!r}\n" * 20}),
            f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        rows = []
        for inside, text in contents.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{inside},sha256={digest},{len(text.encode())}\n")
        contents[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
        path = self.index / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for inside, text in contents.items():
                archive.writestr(inside, text)
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def function(self, name: str, lock: str, files: Mapping[str, str] | None = None) -> Path:
        """Write a function's folder."""
        folder = self.source / name
        for path, text in {"__init__.py": "", "requirements.txt": lock, **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return folder

    def command(self, *arguments: str) -> list[str]:
        place = ("--source", str(self.source), "--output", str(self.output))
        return [sys.executable, str(SCRIPT), *arguments, *place]

    def environ(self) -> dict[str, str]:
        """The environment of the command: this one's, but pip sees the index and nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        offline = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.index.as_uri(),
            "PIP_NO_CACHE_DIR": "1",
        }
        return {**kept, **offline, **self.environment}

    def run(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command and check its exit status."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def manifest(self) -> dict[str, Any]:
        """The manifest, after checking that every entry tells the truth."""
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

    def leftovers(self) -> list[Path]:
        """Whatever lies about in the working folder."""
        work = self.output / ".cache" / "work"
        return sorted(work.iterdir()) if work.exists() else []


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def greeter(workshop: Workshop) -> Workshop:
    """A workshop with one function that needs one package."""
    lock = workshop.wheel("salutation", files={"salutation/__init__.py": "def greet():\n    return 'hello'\n"})
    code = "from salutation import greet\n\n\ndef handler(event, context):\n    return greet()\n"
    workshop.function("greet", lock, {"handler.py": code})
    return workshop
