"""Gaps of LocalStack in docs/localstack.md, verified: a gap that is closed must leave the document."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from scripts import ROOT
from tests.e2e.engines import LOCALSTACK, Capability
from tests.e2e.serve import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCUMENT = (ROOT / "docs" / "localstack.md").read_text()
NEITHER = DOCUMENT.partition("## Gaps of LocalStack")[2].partition("\n## ")[0]

IN_THE_TABLE = {
    "IAM": Capability.IAM,
    "Budgets": Capability.BUDGETS,
    "Schemas": Capability.SCHEMAS,
    "Object keys": Capability.RAW_KEYS,
    "Sequencers": Capability.SEQUENCERS,
    "Every body binary": Capability.EVERY_BODY_BINARY,
    "Gateway responses": Capability.GATEWAY_RESPONSES,
    "Replays": Capability.REPLAY,
    "Schedules": Capability.SCHEDULES,
}
"""Gaps that end-to-end tests run into."""

TRIED: dict[str, Callable[..., None]] = {}
"""Gaps that are tried here."""

READ = {
    "A second `terraform apply`",  # the end-to-end tests hold its drifts
    "Access logs of the API",
    "Ids of uploads",  # the end-to-end tests take both
    "Limits of concurrency",
    "Memory",
    "Retries and dead-letter queues of rules",
    "Time",
}
"""Gaps that only its source shows, for trying would be waiting for what does not come."""


def tried(gap: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark the test of a gap."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        TRIED[gap] = test
        return test

    return note


def test_gaps_are_documented_and_verified() -> None:
    documented = re.findall(r"^- \*\*(.+?)\.?\*\*", NEITHER, re.MULTILINE)
    assert sorted(documented) == sorted({*IN_THE_TABLE, *TRIED, *READ})
    assert set(IN_THE_TABLE.values()) == LOCALSTACK.cannot


@pytest.fixture(scope="module")
def api(clients: Any, endpoint: str) -> Iterator[Caller]:
    """Yield an API with a key limited to one request a day and a second, and a route that requires a signature."""
    gateway, name = clients("apigateway"), f"tested-{uuid.uuid4()}"
    answer = {
        "responses": {"200": {"description": "well"}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "passthroughBehavior": "never",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {"default": {"statusCode": "200"}},
        },
    }
    signed = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
    body = {
        "openapi": "3.0.1",
        "info": {"title": name, "version": "1"},
        "paths": {
            "/with-key": {"post": {**answer, "security": [{"key": []}]}},
            "/signed": {"post": {**answer, "security": [{"signed": []}]}},
            "/object": {
                "post": {
                    **answer,
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Any"}}}},
                    "x-amazon-apigateway-request-validator": "body",
                },
            },
        },
        "components": {
            "schemas": {"Any": {"type": "object"}},
            "securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}, "signed": signed},
        },
        "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}},
    }
    made = gateway.import_rest_api(body=json.dumps(body).encode())["id"]
    gateway.put_gateway_response(
        restApiId=made,
        responseType="INVALID_API_KEY",
        responseTemplates={"application/json": '{"error": "whose key?"}'},
        responseParameters={"gatewayresponse.header.X-Content-Type-Options": "'nosniff'"},
    )
    gateway.create_deployment(restApiId=made, stageName="v1")
    plan = gateway.create_usage_plan(
        name=name,
        apiStages=[{"apiId": made, "stage": "v1"}],
        throttle={"rateLimit": 1, "burstLimit": 1},
        quota={"limit": 1, "period": "DAY"},
    )["id"]
    key = gateway.create_api_key(name=name, enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    yield Caller(f"{endpoint}/_aws/execute-api/{made}/v1", key["value"], key["id"])
    gateway.delete_rest_api(restApiId=made)
    gateway.delete_usage_plan(usagePlanId=plan)
    gateway.delete_api_key(apiKey=key["id"])


def call(caller: Caller, path: str, data: bytes = b"{}") -> Any:
    return caller.call("POST", path, data, Content_Type="application/json")


@tried("Gateway responses")
def test_gateway_response_only_sets_the_status(api: Caller) -> None:
    answer = call(Caller(api.base, "wrong", "unknown"), "/with-key")
    assert answer.status == 403
    assert b"whose key?" not in answer.body
    assert "X-Content-Type-Options" not in answer.headers


@tried("Throttling and quotas of the API")
def test_rate_limit_is_not_enforced(api: Caller) -> None:
    assert [call(api, "/with-key").status for _ in range(10)] == [200] * 10


@tried("The API's 10 MB")
def test_no_request_is_too_large(api: Caller) -> None:
    assert call(api, "/with-key", json.dumps("x" * 11_000_000).encode()).status == 200


def test_body_that_is_not_text_is_an_error(api: Caller) -> None:
    """API Gateway answers 415: it checks a body of a type that there is a model for, and LocalStack any."""
    assert api.call("POST", "/object", b"{}", Content_Type="text/plain").status == 415
    assert api.call("POST", "/object", b"\xff\xd8\xff", Content_Type="text/plain").status == 500


@tried("Authorizers")
def test_signature_is_not_required(api: Caller) -> None:
    assert call(Caller(api.base, None, "unknown"), "/signed").status == 200


MISSING = {
    "wafv2": lambda client: client.list_web_acls(Scope="REGIONAL"),
    "xray": lambda client: client.get_sampling_rules(),
    "cognito-idp": lambda client: client.list_user_pools(MaxResults=1),
    "schemas": lambda client: client.list_registries(),
    "budgets": lambda client: client.describe_budgets(AccountId="000000000000"),
    "securityhub": lambda client: client.describe_hub(),
    "pipes": lambda client: client.list_pipes(),
    "service-quotas": lambda client: client.list_services(),
    "logs": lambda client: client.describe_query_definitions(),
}


@tried("Services that are not there")
@pytest.mark.parametrize("service", MISSING)
def test_a_service_is_missing(endpoint: str, service: str) -> None:
    client = boto3.client(
        service,  # type: ignore[call-overload] # one after the other
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - an emulator's
    )
    with pytest.raises(ClientError, match=r"not yet been emulated|has not been implemented"):
        MISSING[service](client)
