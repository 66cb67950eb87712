"""Renders the API's mapping templates as Terraform and API Gateway do, without either.

Terraform's part, the values in `${…}`, comes from the file that composes the API. API Gateway's part is `$input`,
`$util` and `$context`, written after its reference; the language itself is airspeed's, as in LocalStack.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, unquote_plus

import airspeed  # type: ignore[import-untyped]
import hcl2

from stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATES = ROOT / "terraform" / "api"


@cache
def principals() -> dict[str, str]:
    """Where below $context the caller stands, by the type of authorization, from the module's file."""
    text = (ROOT / "terraform" / "modules" / "service_api" / "authorization.tf").read_text()
    block = text.partition("principal = {")[2].partition("}")[0]
    return dict(re.findall(r'(\w+)\s*= "([\w.]+)"', block))


@cache
def patterns() -> dict[str, str]:
    """What the templates let into keys, by name, from Terraform's file."""
    parsed = hcl2.loads((ROOT / "terraform" / "7_serve.tf").read_text())
    found = next(block["api_patterns"] for block in parsed["locals"] if "api_patterns" in block)
    return {name: value.strip('"') for name, value in found.items() if not name.startswith("__")}


def template(name: str, values: Mapping[str, str]) -> str:
    """A template's text with Terraform's values in it."""
    known = {
        "table": "images",
        "originals": "originals-bucket",
        "processed": "processed-bucket",
        "image": (TEMPLATES / "image.vtl").read_text(),
        **{f"patterns.{key}": value for key, value in patterns().items()},
        **values,
    }
    return re.sub(r"\$\{([\w.]+)\}", lambda match: known[match[1]], (TEMPLATES / f"{name}.vtl").read_text())


class Util:
    """`$util`, as Java's implementation behaves."""

    def escapeJavaScript(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        """Commons Lang's: it also escapes ' and /, and everything that is not ASCII."""
        escaped = json.dumps(str(value))[1:-1]
        return escaped.replace("\\u007f", "\x7f").replace("'", "\\'").replace("/", "\\/")

    def urlEncode(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        """Java's URLEncoder: spaces become +."""
        return quote_plus(str(value), safe="*")

    def urlDecode(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        """Java's URLDecoder: what is not UTF-8 becomes a replacement character."""
        return unquote_plus(str(value))


class Input:
    """`$input`: the body and the parameters."""

    def __init__(self, body: str, parameters: Mapping[str, str]) -> None:
        self.body = body
        self._parameters = parameters

    def params(self, name: str) -> str:
        return self._parameters.get(name, "")

    def path(self, expression: str) -> Any:
        found: Any = json.loads(self.body or "{}")
        for name in expression.removeprefix("$").removeprefix(".").split("."):
            found = found.get(name) if name and isinstance(found, dict) else found
        return found

    def json(self, expression: str) -> str:
        return json.dumps(self.path(expression))


@dataclass
class Rendered:
    """What came of a template: its text, and the request's or response's parts that it has overridden."""

    text: str
    request: dict[str, dict[str, str]]
    response: dict[str, Any]
    json: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.text.strip():
            self.json = json.loads(self.text)


def render(
    name: str,
    *,
    owner: str | None = "alice",
    parameters: Mapping[str, str] | None = None,
    body: object = None,
    path: str = "/v1/images",
    terraform: Mapping[str, str] | None = None,
    authorization: str = "LAMBDA",
    told: Mapping[str, Any] | None = None,
) -> Rendered:
    """Render a template for a caller whom a function as authorizer calls `owner`; None: it names nobody.

    Args:
        name: The file's, without `.vtl`.
        owner: The caller.
        parameters: Of path and query.
        body: Of the request or of the service's answer.
        path: Of the request, with the stage.
        terraform: Values that only this template has in `${…}`.
        authorization: The type of authorization that the API is deployed with.
        told: What stands in $context of the caller, in place of what the function as authorizer says.
    """
    overrides: dict[str, dict[str, str]] = {"path": {}, "header": {}, "querystring": {}}
    response: dict[str, Any] = {"header": {}}
    context = {
        **(told if told is not None else {"authorizer": {} if owner is None else {"principalId": owner}}),
        "path": path,
        "requestId": "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f",
        "requestOverride": overrides,
        "responseOverride": response,
    }
    text = body if isinstance(body, str) else json.dumps(body if body is not None else {})
    values = {"owner": f"context.{principals()[authorization]}", **(terraform or {})}
    merged = airspeed.Template(template(name, values)).merge(
        {"input": Input(text, parameters or {}), "util": Util(), "context": context}
    )
    return Rendered(merged, overrides, response)
