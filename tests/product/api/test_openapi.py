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

from scripts import ROOT, document_api
from tests.product.api.rendering import TEMPLATES, patterns

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
    """What API Gateway answers by itself, from the module's file."""
    text = (ROOT / "terraform" / "modules" / "service_api" / "body.tf").read_text()
    (failure,) = re.findall(r"gateway_failure = \{ status = (\d+)", text)
    found = re.findall(r"^\s+([A-Z_0-9]+)\s+= (?:\{ status = (\d+)|local\.gateway_failure)", text, re.MULTILINE)
    return {name: int(status or failure) for name, status in found}


def by_the_gateway(name: str, route: dict[str, Any]) -> set[int]:
    """The statuses of a route that API Gateway answers without asking the service."""
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
    """The statuses that the service's own are turned into, those among them that a template sets."""
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
def test_they_have_the_same_statuses(route: str) -> None:
    told = {int(status) for status in OPERATIONS[route]["responses"]}
    assert told == by_the_service(routes()[route]) | by_the_gateway(route, routes()[route])


@pytest.mark.parametrize(
    "route", sorted(set(OPERATIONS) - {"POST /uploads"})
)  # a function's responses go by its message
def test_no_status_of_the_service_has_two_responses(route: str) -> None:
    names = [name.strip('"') for name in routes()[route]["integration"]["responses"] if not name.startswith("__")]
    patterns = [name.replace("\\\\", "\\") for name in names if name != "default"]
    for status in range(200, 600):
        assert len([pattern for pattern in patterns if re.fullmatch(pattern, str(status))]) <= 1, status


@pytest.mark.parametrize("route", OPERATIONS)
def test_a_caller_who_cannot_own_images_is_forbidden_on_every_route(route: str) -> None:
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
def test_they_have_the_same_headers(route: str) -> None:
    """Those that a route sets itself; a template sets Location."""
    told = {name for response in OPERATIONS[route]["responses"].values() for name in response.get("headers", {})}
    set_here = {
        name.strip('"')
        for response in routes()[route]["integration"]["responses"].values()
        if isinstance(response, dict)
        for name in response.get("headers", {})
        if not name.startswith("__")
    }
    assert told - {"Location", "Retry-After"} == set_here - {"Content-Type"}
    assert ("Retry-After" in told) == ("503" in OPERATIONS[route]["responses"])


# The page that is made of it


def page() -> dict[str, str]:
    """What docs/api.md says, by heading."""
    sections = re.split(r"^### (.+)\n", document_api.render(CONTRACT), flags=re.MULTILINE)[1:]
    return {name.strip("`"): text for name, text in zip(sections[::2], sections[1::2], strict=True)}


@pytest.mark.parametrize("route", OPERATIONS)
def test_the_page_tells_a_routes_statuses(route: str) -> None:
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \|", page()[route], re.MULTILINE)
    assert sorted(status for row in rows for status in row.split(", ")) == sorted(OPERATIONS[route]["responses"])


@pytest.mark.parametrize("name", CONTRACT["components"]["schemas"])
def test_the_page_tells_what_is_in_an_object(name: str) -> None:
    def fields(schema: dict[str, Any], within: str = "") -> list[str]:
        return [
            told
            for field, about in schema["properties"].items()
            for told in (within + field, *(fields(about, f"{within}{field}.") if "properties" in about else ()))
        ]

    assert re.findall(r"^\| `([\w.]+)` \|", page()[name], re.MULTILINE) == fields(
        CONTRACT["components"]["schemas"][name]
    )


# The contract itself


def test_it_is_valid_by_the_standards_own_schema() -> None:
    schemathesis.openapi.from_dict(CONTRACT).validate()


def test_the_validator_finds_what_is_wrong() -> None:
    broken = copy.deepcopy(CONTRACT)
    del broken["paths"]["/images"]["get"]["responses"]
    with pytest.raises(ValidationError, match='"responses" is a required property'):
        schemathesis.openapi.from_dict(broken).validate()


def test_what_is_referred_to_is_there_and_what_is_there_is_referred_to() -> None:
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(CONTRACT)))
    assert referred == set(CONTRACT["components"]["schemas"])


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_part_of_the_path_is_a_parameter(route: str) -> None:
    told = [one["name"] for one in OPERATIONS[route].get("parameters", []) if one["in"] == "path" and one["required"]]
    assert told == re.findall(r"\{(\w+)\}", route)


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)
