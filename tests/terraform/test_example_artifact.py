"""The function module's example has a zip next to its source, so that it plans without a build."""

from __future__ import annotations

import hashlib
from zipfile import ZipFile

from scripts import ROOT

EXAMPLE = ROOT / "terraform" / "modules" / "function" / "examples" / "queue_worker"


def test_zip_contains_the_source() -> None:
    sources = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.glob("queue_worker/*.py")}
    with ZipFile(EXAMPLE / "queue_worker.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    assert packed == sources


def test_the_example_names_the_zip_that_is_there() -> None:
    digest = hashlib.sha256((EXAMPLE / "queue_worker.zip").read_bytes()).hexdigest()
    assert digest in (EXAMPLE / "main.tf").read_text()
