"""The fuzzer of `make fuzz` starts, gets to the core and is held to a time for each file."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = ROOT / ".venvs" / "fuzz" / "bin" / "python"


def test_each_file_has_ten_seconds() -> None:
    (recipe,) = re.findall(
        r"tests/product/hostile/fuzz\.py build/fuzz .*", (ROOT / "Makefile").read_text(encoding="utf-8")
    )
    assert "-timeout=10 " in recipe


@pytest.mark.skipif(not PYTHON.exists(), reason="the fuzzer is not installed: `make fuzz` does that")
def test_fuzzer_reaches_the_core(tmp_path: Path) -> None:
    command = [PYTHON, ROOT / "tests" / "product" / "hostile" / "fuzz.py", tmp_path, "-runs=300", "-timeout=10"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(re.findall(r"cov: (\d+)", done.stderr)[-1]) > 100
