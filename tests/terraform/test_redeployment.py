"""A change that callers notice makes a new deployment, and no other change does, according to its triggers."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.terraform.workspace import messages

if TYPE_CHECKING:
    from tests.terraform.workspace import Workspace

MODULE = "modules/service_api"
GET, PUT = "GET /orders/{id}", "PUT /orders/{id}"

ROUTES: dict[str, Any] = {
    GET: {
        "request": {"querystrings": {"detail": False}},
        "integration": {
            "service": "dynamodb:action/GetItem",
            "templates": {"application/json": "request"},
            "responses": {
                "200": {"status": 200, "template": "found"},
                "default": {"status": 500, "template": "failed"},
            },
        },
    },
    PUT: {
        "request": {"headers": {"Content-Type": True}, "schema": '{"type": "object"}'},
        "integration": {
            "service": "s3:path/orders/{key}",
            "method": "PUT",
            "parameters": {"path.key": "method.request.path.id"},
            "responses": {
                "200": {"status": 200, "headers": {"ETag": "integration.response.header.ETag"}},
                "default": {"status": 500},
            },
        },
    },
}


def route(name: str, *path: str, to: Any) -> dict[str, Any]:
    """Return the routes with another value at one place."""
    routes = copy.deepcopy(ROUTES)
    at = routes[name]
    for step in path[:-1]:
        at = at.setdefault(step, {})
    at[path[-1]] = to
    return {"routes": routes}


POOL = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_"

NOTICED: dict[str, dict[str, Any]] = {
    "another_route": {"routes": {**ROUTES, "GET /orders": ROUTES[GET]}},
    "a_route_less": {"routes": {GET: ROUTES[GET]}},
    "another_path": {"routes": {"GET /order/{id}": ROUTES[GET], PUT: ROUTES[PUT]}},
    "another_method": {"routes": {"POST /orders/{id}": ROUTES[GET], PUT: ROUTES[PUT]}},
    "open_to_all": route(GET, "authenticated", to=False),
    "another_service": route(GET, "integration", "service", to="dynamodb:action/Query"),
    "another_method_of_the_service": route(PUT, "integration", "method", to="POST"),
    "another_parameter": route(PUT, "integration", "parameters", "path.key", to="context.requestId"),
    "another_template": route(GET, "integration", "templates", "application/json", to="Request"),
    "another_content_type": route(GET, "integration", "templates", "text/plain", to="request"),
    "another_timeout": route(GET, "integration", "timeout", to=5),
    "another_status": route(GET, "integration", "responses", "default", "status", to=502),
    "another_response": route(GET, "integration", "responses", "404", to={"status": 404}),
    "another_template_of_a_response": route(GET, "integration", "responses", "200", "template", to="Found"),
    "another_header_of_a_response": route(
        PUT, "integration", "responses", "200", "headers", "X-Id", to="context.requestId"
    ),
    "a_required_query": route(GET, "request", "querystrings", "detail", to=True),
    "another_query": route(GET, "request", "querystrings", "lines", to=False),
    "an_optional_header": route(PUT, "request", "headers", "Content-Type", to=False),
    "another_schema": route(PUT, "request", "schema", to='{"type": "array"}'),
    "no_schema": route(PUT, "request", "schema", to=None),
    "another_authorizer": {"authorization": {"type": "COGNITO_USER_POOLS", "user_pool_arns": [f"{POOL}a"]}},
    "another_pool": {"authorization": {"type": "COGNITO_USER_POOLS", "user_pool_arns": [f"{POOL}b"]}},
    "another_scope": {
        "authorization": {"type": "COGNITO_USER_POOLS", "user_pool_arns": [f"{POOL}a"], "scopes": ["orders/read"]}
    },
    "keys": {"api_keys": ["alice"]},
    "another_origin": {"cors": {"origins": ["https://shop.example"]}},
    "bytes": {"binary_media_types": ["image/png"]},
    "another_policy": {"policy": '{"Version": "2012-10-17", "Statement": []}'},
}

UNNOTICED: dict[str, dict[str, Any]] = {
    "the_same": {},
    "the_routes_in_another_order": {"routes": {PUT: ROUTES[PUT], GET: ROUTES[GET]}},
    "a_default_that_is_written_down": route(GET, "integration", "timeout", to=29),
    "another_retention": {"logging": {"retention_days": 7}},
    "less_throttling": {"throttling": {"rate": 5, "burst": 5}},
    "no_traces": {"tracing": False},
    "tags": {"tags": {"team": "shop"}},
    "a_firewall": {"web_acl": {"arn": "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0"}},
    "a_permission": {"permissions": {"read": "{}"}},
    "another_stage": {"stage": "v2"},
}


@pytest.fixture(scope="module")
def triggers(workspace: Workspace) -> dict[str, str]:
    """Return the triggers of deployments, by the difference.

    Each is a separate API. All are applied together, with the provider that the module's own tests mock.
    """
    changes = {"as_it_was": {}, **NOTICED, **UNNOTICED}
    arguments = {name for change in changes.values() for name in change} - {"routes"}
    folder = workspace.root / "modules" / "changed_apis"
    (folder / "tests").mkdir(parents=True)
    configuration = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": {}},
        "locals": {"changes": changes, "routes": ROUTES},
        "module": {
            "api": {
                "for_each": "${local.changes}",
                "source": "../service_api",
                "name": "shop",
                "key_arn": "arn:aws:kms:eu-central-1:123456789012:key/shop",
                "routes": "${try(each.value.routes, local.routes)}",
                **{name: f"${{try(each.value.{name}, null)}}" for name in arguments},
            }
        },
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration))
    mocks = (workspace.root / MODULE / "tests" / "api.tftest.hcl").read_text().partition("\nvariables {")[0]
    (folder / "tests" / "all.tftest.hcl").write_text(f'{mocks}\nrun "all" {{\n}}\n')
    succeeded, said = workspace.init(folder)
    assert succeeded, said
    with workspace.provider() as served:
        succeeded, said = workspace.run("test", "-json", "-verbose", folder=folder, **served)
    assert succeeded, said
    (state,) = (message["test_state"] for message in messages(said) if message["type"] == "test_state")
    return {
        re.findall(r'\["(\w+)"\]', resource["address"])[0]: resource["values"]["triggers"]["api"]
        for module in state["root_module"]["child_modules"]
        for resource in module["resources"]
        if resource["type"] == "aws_api_gateway_deployment"
    }


def test_every_change_is_looked_at(triggers: dict[str, str]) -> None:
    assert set(triggers) == {"as_it_was", *NOTICED, *UNNOTICED}


def test_each_change_is_a_deployment_of_its_own(triggers: dict[str, str]) -> None:
    different = {name: triggers[name] for name in ("as_it_was", *NOTICED)}
    assert len(set(different.values())) == len(different), different


@pytest.mark.parametrize("name", UNNOTICED)
def test_unnoticeable_change_makes_no_deployment(triggers: dict[str, str], name: str) -> None:
    assert triggers[name] == triggers["as_it_was"]
