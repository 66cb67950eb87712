"""The contract that callers read, and the routes that Terraform deploys, are of the same API."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import hcl2
import pytest
import schemathesis
from jsonschema_rs import ValidationError

from scripts import ROOT
from scripts.generated import api
from tests.product.api.rendering import TEMPLATES, patterns

CONTRACT = json.loads((TEMPLATES / "openapi.json").read_text())
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
}


def routes() -> dict[str, Any]:
    """Return the routes in Terraform's file, by method and path."""
    parsed = hcl2.loads((ROOT / "terraform" / "7_serve.tf").read_text())
    found = next(block["api_routes"] for block in parsed["locals"] if "api_routes" in block)
    return {name.strip('"'): route for name, route in found.items() if not name.startswith("__")}


def test_routes_are_those_in_terraform() -> None:
    assert set(OPERATIONS) == set(routes())


@pytest.mark.parametrize("route", OPERATIONS)
def test_parameters_are_those_in_terraform(route: str) -> None:
    request = routes()[route].get("request", {})
    for where, kind in (("header", "headers"), ("query", "querystrings")):
        documented = {p["name"]: p["required"] for p in OPERATIONS[route].get("parameters", []) if p["in"] == where}
        assert documented == {name.strip('"'): required for name, required in request.get(kind, {}).items()}


def test_only_the_route_for_bytes_has_no_template() -> None:
    """API Gateway answers 415 to a content type without a template, wherever there is any (modules/service_api)."""
    requests = {route: settings["integration"].get("templates", {}) for route, settings in routes().items()}
    assert {route for route, templates in requests.items() if not templates} == {"POST /images"}
    assert {kind.strip('"') for templates in requests.values() for kind in templates} == {"application/json"}


@pytest.mark.parametrize("name", ["id", "version", "variant"])
def test_patterns_are_those_in_terraform(name: str) -> None:
    documented = {
        parameter["schema"]["pattern"]
        for operation in OPERATIONS.values()
        for parameter in operation.get("parameters", [])
        if parameter["name"] == name
    }
    assert documented == {f"^{patterns()[name]}$"}


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_error_has_the_same_shape(route: str) -> None:
    """API Gateway answers one error without its gateway response."""
    responses = OPERATIONS[route]["responses"]
    errors = [response for status, response in responses.items() if int(status) >= 400 and status != "413"]
    assert errors
    assert "content" not in responses.get("413", {})
    for response in errors:
        assert response["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


# Statuses

ALWAYS = ("ACCESS_DENIED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "THROTTLED", "UNAUTHORIZED", "DEFAULT_5XX")


def gateway_statuses() -> dict[str, int]:
    """Return the statuses of API Gateway's own errors, from the module's file."""
    text = (ROOT / "terraform" / "modules" / "service_api" / "body.tf").read_text()
    (failure,) = re.findall(r"gateway_failure = \{ status = (\d+)", text)
    found = re.findall(r"^\s+([A-Z_0-9]+)\s+= (?:\{ status = (\d+)|local\.gateway_failure)", text, re.MULTILINE)
    return {name: int(status or failure) for name, status in found}


def by_the_gateway(name: str, route: dict[str, Any]) -> set[int]:
    """Return the statuses of a route that API Gateway returns without calling the service."""
    request, integration = route.get("request", {}), route["integration"]
    names = [*ALWAYS]
    if "schema" in request:
        names.append("BAD_REQUEST_BODY")
    if True in request.get("headers", {}).values():
        names.append("BAD_REQUEST_PARAMETERS")
    if integration.get("templates"):
        names.append("UNSUPPORTED_MEDIA_TYPE")
    if name.startswith("POST "):
        names.append("REQUEST_TOO_LARGE")  # the others have no body
    return {gateway_statuses()[name] for name in names}


def by_the_service(route: dict[str, Any]) -> set[int]:
    """Return the statuses for the service's answers, including those that a template sets."""
    text = (ROOT / "terraform" / "7_serve.tf").read_text()
    errors = {name: int(status) for name, status in re.findall(r"(\w+)\s+= \{ status = (\d+), message", text)}
    statuses = set()
    for response in route["integration"]["responses"].values():
        if isinstance(response, str):
            kind, name = re.findall(r"local\.api_(\w+_)?error\.(\w+)", response)[0]
            statuses.add(errors[name])
            templates = {"table_": ["table_error.response"], "bucket_": ["error.response"]}.get(kind, [])
        else:
            statuses.add(response["status"])
            templates = re.findall(r'api_template\["([\w.]+)"\]', str(response.get("template", "")))
        for template in templates:
            said = (TEMPLATES / f"{template}.vtl").read_text()
            statuses |= {int(status) for status in re.findall(r"responseOverride\.status = (\d+)", said)}
    return statuses


@pytest.mark.parametrize("route", OPERATIONS)
def test_statuses_are_those_in_terraform(route: str) -> None:
    documented = {int(status) for status in OPERATIONS[route]["responses"]}
    assert documented == by_the_service(routes()[route]) | by_the_gateway(route, routes()[route])


@pytest.mark.parametrize(
    "route", sorted(set(OPERATIONS) - {"POST /uploads"})
)  # a function's responses go by its message
def test_no_status_of_the_service_has_two_responses(route: str) -> None:
    names = [name.strip('"') for name in routes()[route]["integration"]["responses"] if not name.startswith("__")]
    patterns = [name.replace("\\\\", "\\") for name in names if name != "default"]
    for status in range(200, 600):
        assert len([pattern for pattern in patterns if re.fullmatch(pattern, str(status))]) <= 1, status


@pytest.mark.parametrize("route", OPERATIONS)
def test_caller_without_a_valid_name_is_forbidden(route: str) -> None:
    """A template looks at the owner for each status that the service has for a refused request."""
    responses = json.dumps(routes()[route]["integration"]["responses"])
    assert re.search(r"api_table_error|api_bucket_error|post_upload\.response|post_image\.refused", responses)


def test_callers_cannot_choose_the_minted_id() -> None:
    """A caller can choose the request id, by the header X-Amzn-RequestId."""
    assert "context.extendedRequestId" in json.dumps(routes()["POST /images"]["integration"]["parameters"])
    for path in (ROOT / "terraform" / "7_serve.tf", *TEMPLATES.glob("*.vtl")):
        assert "context.requestId" not in path.read_text()


@pytest.mark.parametrize("route", OPERATIONS)
def test_no_route_relies_on_the_validation_of_a_body(route: str) -> None:
    """Every body is binary; AWS does not say what a request validator makes of one."""
    assert "schema" not in routes()[route].get("request", {})


@pytest.mark.parametrize("route", OPERATIONS)
def test_headers_are_those_in_terraform(route: str) -> None:
    """Those that a route sets itself; a template sets Location."""
    documented = {name for response in OPERATIONS[route]["responses"].values() for name in response.get("headers", {})}
    set_here = {
        name.strip('"')
        for response in routes()[route]["integration"]["responses"].values()
        if isinstance(response, dict)
        for name in response.get("headers", {})
        if not name.startswith("__")
    }
    assert documented - {"Location", "Retry-After"} == set_here - {"Content-Type"}
    assert ("Retry-After" in documented) == ("503" in OPERATIONS[route]["responses"])


# The page that is made of it


def page() -> dict[str, str]:
    """Return docs/api.md by heading."""
    sections = re.split(r"^### (.+)\n", api.render(CONTRACT), flags=re.MULTILINE)[1:]
    return {name.strip("`"): text for name, text in zip(sections[::2], sections[1::2], strict=True)}


@pytest.mark.parametrize("route", OPERATIONS)
def test_document_has_all_statuses_of_a_route(route: str) -> None:
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \|", page()[route], re.MULTILINE)
    assert sorted(status for row in rows for status in row.split(", ")) == sorted(OPERATIONS[route]["responses"])


@pytest.mark.parametrize("name", CONTRACT["components"]["schemas"])
def test_document_has_all_fields_of_an_object(name: str) -> None:
    def fields(schema: dict[str, Any], within: str = "") -> list[str]:
        return [
            name
            for field, about in schema["properties"].items()
            for name in (within + field, *(fields(about, f"{within}{field}.") if "properties" in about else ()))
        ]

    assert re.findall(r"^\| `([\w.]+)` \|", page()[name], re.MULTILINE) == fields(
        CONTRACT["components"]["schemas"][name]
    )


# The contract itself


def test_contract_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(CONTRACT).validate()


def test_the_validator_finds_what_is_wrong() -> None:
    broken = copy.deepcopy(CONTRACT)
    del broken["paths"]["/images"]["get"]["responses"]
    with pytest.raises(ValidationError, match='"responses" is a required property'):
        schemathesis.openapi.from_dict(broken).validate()


def test_components_are_exactly_the_referenced_ones() -> None:
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(CONTRACT)))
    assert referred == set(CONTRACT["components"]["schemas"])


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_part_of_the_path_is_a_parameter(route: str) -> None:
    parameters = OPERATIONS[route].get("parameters", [])
    documented = [one["name"] for one in parameters if one["in"] == "path" and one["required"]]
    assert documented == re.findall(r"\{(\w+)\}", route)


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)
