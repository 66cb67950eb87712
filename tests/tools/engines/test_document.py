"""docs/localstack.md names the settings that there are, with their defaults."""

from __future__ import annotations

import re

from scripts import ROOT

DOCUMENT = (ROOT / "docs" / "localstack.md").read_text()


def test_the_settings_are_those_of_the_code() -> None:
    documented = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`(.+?)`)? ?\|", DOCUMENT, re.MULTILINE))
    compose = dict(re.findall(r"\$\{([A-Z_]+):-(.*?)\}", (ROOT / "docker-compose.yml").read_text()))
    scripts = "".join(path.read_text() for path in (ROOT / "scripts").rglob("*.py"))
    by_scripts = set(re.findall(r'environ(?:ment)?\.get\("((?:LOCALSTACK)[A-Z_]*)"', scripts))
    assert by_scripts == {"LOCALSTACK", "LOCALSTACK_PORT", "LOCALSTACK_PYTHON"}
    assert set(documented) == set(compose) | by_scripts
    assert {name: default for name, default in documented.items() if name in compose} == compose
