"""The template that serves a file of the try page: the file comes whole, from text and from base64."""

from __future__ import annotations

import base64
import re

import pytest

from scripts.terraform.copy import TERRAFORM
from tests.product.api.rendering import by_airspeed, by_velocity, velocity_is_installed

PAGE = (TERRAFORM / "try_page" / "index.html").read_text()
CONFIG = '{"api": ".", "note": "$x #if é"}'
ENGINES = [by_airspeed, *([by_velocity] if velocity_is_installed() else [])]


@pytest.mark.parametrize("file", [PAGE, CONFIG], ids=["page", "configuration"])
@pytest.mark.parametrize("encoded", [False, True])
def test_file_is_served_unchanged(file: str, encoded: bool) -> None:
    (written,) = re.findall(r'try_page_template = "(.*)"\n', (TERRAFORM / "try_page.tf").read_text())
    body = base64.b64encode(file.encode()).decode() if encoded else file
    parameters: dict[str, dict[str, str]] = {"path": {}, "querystring": {}, "header": {}}
    for engine in ENGINES:
        served, _ = engine(text=written.replace('\\"', '"'), body=body, parameters=parameters, context={})
        assert served == file, engine.__name__
