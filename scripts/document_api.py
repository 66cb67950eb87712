"""Writes docs/api.md: the API as its contract, terraform/api/openapi.json, says it."""

# ruff: noqa: E501 - rows of a table

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.generated.documents import settle
from scripts.process.entry_point import entry_point

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACT = ROOT / "terraform" / "api" / "openapi.json"
PAGE = ROOT / "docs" / "api.md"
COMMAND = "python scripts/document_api.py"

INTRODUCTION = """\
# The API

{description}

The contract is [`terraform/api/openapi.json`](../terraform/api/openapi.json) (OpenAPI 3); Terraform reads it too, and
this page is made from it. Only `POST /uploads` runs code: every other route is API Gateway talking to S3 or DynamoDB
through a template in `terraform/api/`.

An error is `{{"error": {{"code": "…", "message": "…"}}}}`, with one exception: API Gateway answers 413 itself, before any
route, and its body is not JSON of this shape. Every other answer has `X-Content-Type-Options: nosniff`, and is not to be
cached unless it says so.

A trailing slash makes no difference. Parameters are read from the path and the query, never from headers. The access
log has the `x-amz-apigw-id` of each answer as `extended_id`; quote it when you report a problem.

## Who calls

| `api.authorization.type` | how a caller says who it is | the owner of its images |
|---|---|---|
| `AWS_IAM` (default) | AWS's signature | the user's or role's unique id; of a role with the session's name, so whoever can choose that is to be trusted with it (`sts:RoleSessionName` in the role's trust policy decides), and a program whose session is called otherwise each time, as an ECS task's or an EC2 instance's is, is another owner each time |
| `COGNITO_IDENTITY` | AWS's signature with credentials of an identity pool | the identity's id; under `AWS_IAM` all identities of a pool would be one owner, as their sessions have one name |
| `COGNITO_USER_POOLS` | a user pool's token in `Authorization` | the token's `sub` |
| `LAMBDA` | whatever the function understands in `Authorization` | the `principalId` that it returns |
| `API_KEY` | a key in `X-Api-Key` | the key's id |

An owner is a part of a key: at most 128 letters, digits and `=,.@_:-`, beginning with a letter or digit. A caller with
another name, such as a session with a `+` or Auth0's `auth0|…`, gets a 403 on every route: S3 takes a `+` in a path for a
space. For `LAMBDA`, the function must return only such names, and a different one for each caller: `POST /images` puts
the name into a path that S3 decodes, so a `%` in it could name another owner.

A key alone is enough for programs of one's own and for trying things out; AWS does not take it for a proof of identity.
Keys that the templates build begin with the owner, for S3 and DynamoDB alike. So another owner's image cannot even be
named: it is not found, as if there were none. The list shows images that were uploaded through the API; what came
into the bucket under other keys has no id here.

## Routes
"""


def render(contract: dict[str, Any]) -> str:
    """The page."""
    parts = [INTRODUCTION.format(description=contract["info"]["description"])]
    parts.append("\n".join(["Everywhere, or nearly so:\n", "| status | |", "|---|---|", *_everywhere(contract)]) + "\n")
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            parts.append("\n".join(_operation(contract, f"{method.upper()} {path}", operation)))
    parts.append("## What is in the answers\n")
    for name, schema in contract["components"]["schemas"].items():
        parts.append("\n".join(_schema(name, schema)))
    return "\n".join(parts)


def _operation(contract: dict[str, Any], name: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield f"{operation['summary']}. {operation['description']}\n"
    if parameters := operation.get("parameters"):
        yield "| parameter | in | required | |"
        yield "|---|---|---|---|"
        for one in parameters:
            told = "yes" if one["required"] else "no"
            yield f"| `{one['name']}` | {one['in']} | {told} | {one['description']} {_type(one['schema'])} |"
        yield ""
    if body := operation.get("requestBody"):
        kinds = body["content"]
        schema = next(iter(kinds.values()))["schema"]
        about = f"{_reference(schema)}, as " if "$ref" in schema else ""
        yield f"Body: {about}{', '.join(f'`{kind}`' for kind in kinds)}.\n"
    yield "| status | |"
    yield "|---|---|"
    common = _common(contract)
    for status, response in operation["responses"].items():
        if status not in common:
            schema = next((kind["schema"] for kind in response.get("content", {}).values()), {})
            about = f" {_reference(schema)}" if "$ref" in schema and int(status) < 400 else ""  # noqa: PLR2004
            yield f"| {status} | {response['description']}{about} |"
    yield f"| {', '.join(status for status in common if status in operation['responses'])} | as everywhere |\n"


def _everywhere(contract: dict[str, Any]) -> Iterator[str]:
    """What these statuses mean."""
    operations = [operation for methods in contract["paths"].values() for operation in methods.values()]
    for status in _common(contract):
        meaning = next(o["responses"][status]["description"] for o in operations if status in o["responses"])
        yield f"| {status} | {meaning} |"


def _common(contract: dict[str, Any]) -> list[str]:
    """The statuses that mean the same at every route."""
    operations = [operation for methods in contract["paths"].values() for operation in methods.values()]
    statuses = sorted({status for operation in operations for status in operation["responses"]})
    return [s for s in statuses if len([o for o in operations if s in o["responses"]]) >= len(operations) - 1]


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    yield "| field | | always |"
    yield "|---|---|---|"
    yield from _fields(schema)
    yield ""


def _fields(schema: dict[str, Any], within: str = "") -> Iterator[str]:
    """A row for each field, and below an object one for each of its own."""
    for field, about in schema["properties"].items():
        described = f" {about['description']}" if "description" in about else ""
        always = "yes" if field in schema["required"] else "no"
        yield f"| `{within}{field}` | {_type(about)}{described} | {always} |"
        if "properties" in about:
            yield from _fields(about, f"{within}{field}.")


def _reference(schema: dict[str, Any]) -> str:
    name = schema["$ref"].rsplit("/", 1)[-1]
    return f"[{name}](#{name.lower()})"


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _reference(schema)
    if schema["type"] == "array":
        return f"a list of {_type(schema['items'])}"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if of := schema.get("additionalProperties"):
        return f"{schema['type']}: any names, each with a {_type(of)}"
    words = [schema["type"]]
    if "pattern" in schema:
        words.append("`" + schema["pattern"].replace("|", "\\|") + "`")
    if "maxLength" in schema:
        words.append(f"of at most {schema['maxLength']} characters")
    if "minimum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    return " ".join(words) + "."


@entry_point
def main() -> int:
    """Write the page, or check it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the page is not what would be written")
    options = parser.parse_args()
    return settle(PAGE, render(json.loads(CONTRACT.read_text(encoding="utf-8"))), COMMAND, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
