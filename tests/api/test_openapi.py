"""The contract that callers read, and the routes that Terraform deploys, are of the same API."""

from __future__ import annotations

import json
from typing import Any

import hcl2
import pytest

from api.rendering import TEMPLATES, patterns
from stack import ROOT

CONTRACT = json.loads((TEMPLATES / "openapi.json").read_text())
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
}


def routes() -> dict[str, Any]:
    """The routes in Terraform's file, by method and path."""
    parsed = hcl2.loads((ROOT / "terraform" / "7_serve.tf").read_text())
    found = next(block["api_routes"] for block in parsed["locals"] if "api_routes" in block)
    return {name.strip('"'): route for name, route in found.items() if not name.startswith("__")}


def test_they_have_the_same_routes() -> None:
    assert set(OPERATIONS) == set(routes())


@pytest.mark.parametrize("route", OPERATIONS)
def test_they_have_the_same_parameters(route: str) -> None:
    request = routes()[route].get("request", {})
    for where, kind in (("header", "headers"), ("query", "querystrings")):
        told = {p["name"]: p["required"] for p in OPERATIONS[route].get("parameters", []) if p["in"] == where}
        assert told == {name.strip('"'): required for name, required in request.get(kind, {}).items()}


def test_no_route_but_the_one_for_bytes_passes_on_what_it_has_no_template_for() -> None:
    """API Gateway answers 415 to a content type without a template, wherever there is any (modules/service_api)."""
    requests = {route: settings["integration"].get("templates", {}) for route, settings in routes().items()}
    assert {route for route, templates in requests.items() if not templates} == {"POST /images"}
    assert {kind.strip('"') for templates in requests.values() for kind in templates} == {"application/json"}


@pytest.mark.parametrize("name", ["id", "version", "variant"])
def test_they_have_the_same_patterns(name: str) -> None:
    told = {
        parameter["schema"]["pattern"]
        for operation in OPERATIONS.values()
        for parameter in operation.get("parameters", [])
        if parameter["name"] == name
    }
    assert told == {f"^{patterns()[name]}$"}


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_error_has_the_same_shape(route: str) -> None:
    errors = [response for status, response in OPERATIONS[route]["responses"].items() if int(status) >= 400]
    assert errors
    for response in errors:
        assert response["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
