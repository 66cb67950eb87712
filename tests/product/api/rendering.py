"""Render the API's mapping templates as Terraform and API Gateway do, without either.

Terraform's part, the values in `${…}`, comes from the file that composes the API. API Gateway's part is `$input`,
`$util` and `$context`, written after its reference. The language itself is rendered by airspeed, as in LocalStack, and
by Apache Velocity, as in API Gateway, where Java and Velocity are installed; both must give the same.
"""

from __future__ import annotations

import atexit
import base64
import copy
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote_plus, unquote_plus

import airspeed  # type: ignore[import-untyped]
import hcl2

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATES = ROOT / "terraform" / "api"
INCLUDED = ("body", "image", "limit")
"""Parts of templates, which Terraform puts into others."""

IN_PATH = frozenset({"id", "version", "variant"})
"""Parameters of paths; all others are parameters of queries."""

_JARS = tuple(
    Path("/usr/share/java", f"{name}.jar") for name in ("velocity", "commons-collections3", "commons-lang", "gson")
)


@cache
def principals() -> dict[str, str]:
    """Return the place of the caller below $context, by the type of authorization, from the module's file."""
    text = (ROOT / "terraform" / "modules" / "service_api" / "authorization.tf").read_text()
    block = text.partition("principal = {")[2].partition("}")[0]
    return dict(re.findall(r'(\w+)\s*= "([\w.]+)"', block))


@cache
def patterns() -> dict[str, str]:
    """Return the patterns of the templates for parts of keys, by name, from Terraform's file."""
    parsed = hcl2.loads((ROOT / "terraform" / "7_serve.tf").read_text())
    found = next(block["api_patterns"] for block in parsed["locals"] if "api_patterns" in block)
    return {name: value.strip('"') for name, value in found.items() if not name.startswith("__")}


@cache
def foreign_keys() -> list[str]:
    """Return the keys that POST /images must not write, as patterns of IAM, from Terraform's file."""
    text = (ROOT / "terraform" / "7_serve.tf").read_text()
    block = text.partition("api_foreign_keys = concat(")[2].partition("\n  )")[0]
    found = ["*/*/*", "?" * 129 + "*/*"]
    for characters, pattern in re.findall(r"\[for character in (\[.+\]) : \"(.+)\"\]", block):
        found += [pattern.replace("${character}", character) for character in json.loads(characters)]
    return found


def template(name: str, values: Mapping[str, str]) -> str:
    """Return a template's text with Terraform's values in it."""
    known = {
        "table": "images",
        "originals": "originals-bucket",
        "processed": "processed-bucket",
        **{name: (TEMPLATES / f"{name}.vtl").read_text() for name in INCLUDED},
        **{name: json.dumps({"error": {"code": name}}) for name in ERRORS},
        **{f"patterns.{key}": value for key, value in patterns().items()},
        **values,
    }
    return re.sub(r"\$\{([\w.]+)\}", lambda match: known[match[1]], (TEMPLATES / f"{name}.vtl").read_text())


ERRORS = ("empty", "error", "forbidden", "internal", "refusal", "unavailable")
"""Errors that templates choose, by the names of Terraform's values; here the code of each is its name."""


def velocity_is_installed() -> bool:
    """Return True if there are Apache Velocity and a JDK to run it."""
    return shutil.which("javac") is not None and all(jar.exists() for jar in _JARS)


@cache
def velocity() -> subprocess.Popen[bytes] | None:
    """Start Apache Velocity, once for all templates; return None if it is not installed.

    Its stack is that of a small thread, so that what overflows a stack does so here.
    """
    if not velocity_is_installed():
        return None
    classpath = ":".join(str(jar) for jar in _JARS)
    command = ["java", "-Xss512k", "-cp", classpath, str(Path(__file__).with_name("Renderer.java"))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


class RenderingError(Exception):
    """Velocity cannot render a template; the message is Java's."""


def by_velocity(text: str, *, body: str, parameters: Mapping[str, Any], context: dict[str, Any]) -> tuple[str, Any]:
    """Render a template by Velocity; return the text, and the context after the template.

    Raises:
        RenderingError: It cannot be rendered.
    """
    process = cast("subprocess.Popen[bytes]", velocity())
    assert process.stdin is not None
    assert process.stdout is not None
    request = {"template": text, "body": body, "params": parameters, "context": context}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    answer = json.loads(line) if line else {"error": f"Velocity has ended: run {process.args!r} to see why"}
    if "error" in answer:
        raise RenderingError(answer["error"])
    return answer["text"], answer["context"]


def by_airspeed(text: str, *, body: str, parameters: Mapping[str, Any], context: dict[str, Any]) -> tuple[str, Any]:
    """Render a template by airspeed; return the text, and the context after the template."""
    context = copy.deepcopy(context)
    names = {"input": Input(body, parameters), "util": Util(), "context": context}
    return parsed(text).merge(names), context


@cache
def parsed(text: str) -> airspeed.Template:
    """Return a template as airspeed parses it."""
    return airspeed.Template(text)


class Util:
    """`$util`, as Java's implementation behaves."""

    def escapeJavaScript(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        """Escape as Commons Lang does: also ' and /, and every character outside ASCII."""
        escaped = json.dumps(str(value))[1:-1]
        return escaped.replace("\\u007f", "\x7f").replace("'", "\\'").replace("/", "\\/")

    def urlEncode(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        """Encode as Java's URLEncoder does: spaces become +, * stays unchanged, but ~ does not."""
        return quote_plus(str(value), safe="*").replace("~", "%7E")

    def urlDecode(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        """Decode as Java's URLDecoder does: invalid UTF-8 becomes a replacement character."""
        return unquote_plus(str(value))

    def base64Decode(self, value: object) -> str:  # noqa: N802 - API Gateway's name
        return base64.b64decode(str(value), validate=True).decode()

    def parseJson(self, value: object) -> Any:  # noqa: N802 - API Gateway's name
        return json.loads(str(value))


class Input:
    """`$input`: the body and the parameters."""

    def __init__(self, body: str, parameters: Mapping[str, Any]) -> None:
        self.body = body
        self._parameters = parameters

    def params(self) -> Mapping[str, Any]:
        return self._parameters


@dataclass
class Rendered:
    """Result of a template: its text, and the parts of the request or response that it overrides."""

    text: str
    request: dict[str, dict[str, str]]
    response: dict[str, Any]
    json: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.text.strip():
            self.json = json.loads(self.text)

    @property
    def meaning(self) -> tuple[Any, ...]:
        """The text without white space."""
        return self.json, self.request, self.response


def render(
    name: str,
    *,
    owner: str | None = "alice",
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: object = None,
    path: str = "/v1/images",
    authorization: str = "LAMBDA",
    caller: Mapping[str, Any] | None = None,
    text: bool = False,
) -> Rendered:
    """Render a template for a caller whose function authorizer returns `owner`; None: it identifies no caller.

    Args:
        name: Name of the file, without `.vtl`.
        owner: The caller.
        parameters: Parameters of path and query.
        headers: Headers of the request.
        body: Body of the request or of the service's answer.
        path: Path of the request, with the stage.
        authorization: Type of authorization of the API.
        caller: Data about the caller in $context, instead of a function authorizer's.
        text: API Gateway passes the body as text, not in base64.
    """
    context = {
        **(caller if caller is not None else {"authorizer": {} if owner is None else {"principalId": owner}}),
        "path": path,
        "requestId": "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f",
        "extendedRequestId": EXTENDED_ID,
        "requestOverride": {"path": {}, "header": {}, "querystring": {}},
        "responseOverride": {"header": {}},
    }
    given = body if isinstance(body, str) else json.dumps(body if body is not None else {})
    asked = parameters or {}
    what: dict[str, Any] = {
        "text": template(name, {"owner": f"context.{principals()[authorization]}"}),
        "body": given if text else base64.b64encode(given.encode()).decode(),
        "parameters": {
            "path": {key: value for key, value in asked.items() if key in IN_PATH},
            "querystring": {key: value for key, value in asked.items() if key not in IN_PATH},
            "header": headers or {},
        },
        "context": context,
    }
    rendered = [
        Rendered(merged, left["requestOverride"], left["responseOverride"])
        for merged, left in (engine(**what) for engine in (by_airspeed, *([by_velocity] if velocity() else [])))
    ]
    assert all(other.meaning == rendered[0].meaning for other in rendered), rendered
    return rendered[-1]


EXTENDED_ID = "JJlLy-EuIAMF_TA="
"""An extended request id, as API Gateway mints them."""
