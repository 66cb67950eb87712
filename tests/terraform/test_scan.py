"""What checkov is told to leave out is little, and each has its reason."""

from __future__ import annotations

import re

from stack import ROOT

MOST = 10


def test_what_is_left_out_is_little_and_has_its_reason() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().partition("skip-check:\n")[2].splitlines()
    skipped = [line.removeprefix("  - ") for line in lines if not line.startswith("  #")]
    assert 0 < len(skipped) <= MOST
    assert all(re.fullmatch(r"CKV2?_AWS_\d+", check) for check in skipped)
    assert lines[0].startswith("  #")
    assert not lines[-1].startswith("  #")
