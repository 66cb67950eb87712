"""Handling of bodies by API Gateway, in the plan of the root."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.terraform.plans import load_plans


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    (root,) = (plan for plan in load_plans() if plan.name == "root")
    return dict(root.resources["module.api[0].aws_api_gateway_rest_api.this"].values)


def test_every_body_is_bytes(api: dict[str, Any]) -> None:
    assert "*/*" in api["binary_media_types"]


def test_an_images_bytes_are_passed_on_unchanged(api: dict[str, Any]) -> None:
    integration = json.loads(api["body"])["paths"]["/images"]["post"]["x-amazon-apigateway-integration"]
    assert integration.get("contentHandling") in (None, "CONVERT_TO_BINARY")
    assert not integration.get("requestTemplates")
