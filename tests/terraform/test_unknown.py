"""Inputs that are known only once another resource is made: a plan of the same configuration must not fail for them.

Terraform refuses a `count` or `for_each` that it cannot count at plan. So each module, and the root, is planned with
all of its texts unknown: ARNs, ids, names, URLs, documents. What must be known is listed here, with its reason.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import hcl2
import pytest

from scripts.terraform.copy import TERRAFORM
from tests.terraform.folders import MODULES
from tests.terraform.workspace import Workspace, messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

UNKNOWN = "${aws_kms_key.unknown.arn}"

# The name of a key in a map, where not every word is one.
KEYS = {
    "routes": "GET /things/{id}",
    "routes{}.integration.parameters": "path.id",
    "routes{}.integration.responses": "default",
}
# Inputs that must be known at plan, by folder, because each decides which resources exist. All other texts are unknown.
KNOWN: dict[str, list[dict[str, Any]]] = {
    # A bus to make, or the account's own.
    "event_bus": [{"name": "shop"}, {"name": "default", "publishers": None}],
    # The name of a metric that has an alarm if there is one; names that become keys; a word to choose.
    "observability": [
        {"outcomes.failed": "Failed", "tables{}.indexes": ["by_owner"], "workflows{}.type": kind}
        for kind in ("EXPRESS", "STANDARD")
    ],
    # A word to choose; names that become keys.
    "service_api": [
        {"authorization.type": "LAMBDA", "authorization.user_pool_arns": None, "api_keys": ["alice"]},
        {"authorization.type": "COGNITO_USER_POOLS", "authorization.function_arn": None, "api_keys": None},
    ],
    # Names, files that are read at plan, and the same words as above.
    "root": [
        {
            "name": "darkroom",
            "region": "eu-central-1",
            "architecture": None,
            "artifacts": None,
            "runtime": None,
            "variants": None,
            "workflow_type": "STANDARD",
            "api.authorization.type": "LAMBDA",
            "api.authorization.user_pool_arns": None,
            "api.api_keys": ["alice"],
            "observe": {"alarm_topic_arns": [UNKNOWN], "budget": {"usd": 1}, "findings": True, "schemas": True},
        }
    ],
}


def parse(expression: str) -> Any:
    """Read the type of a variable: ["map", ["object", {"arn": "string"}]]. Optional numbers and truths are None."""
    tokens = re.findall(r'"(?:\\.|[^"\\])*"|[\w.-]+|[(){}\[\]=,:]', expression)
    kind, rest = _type(tokens)
    assert not rest, rest
    return kind


def _type(tokens: Sequence[str]) -> tuple[Any, Sequence[str]]:
    word, rest = tokens[0], tokens[1:]
    if not rest or rest[0] != "(":
        return word, rest
    if word == "object":
        fields: dict[str, Any] = {}
        rest = rest[2:]
        while rest[0] != "}":
            name, rest = rest[0], rest[2:]
            fields[name], rest = _type(rest)
            rest = rest[1:] if rest[0] == "," else rest
        return ["object", fields], rest[2:]
    inner, rest = _type(rest[1:])
    depth = 1
    while depth:  # to the end, past a default
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(rest[0], 0)
        rest = rest[1:]
    if word == "optional":
        return (None if inner in ("number", "bool") else inner), rest
    return [word, inner], rest


def value(kind: Any, path: str, known: Mapping[str, Any]) -> Any:
    """Return a value of a type with all of its texts unknown; None where it holds no text and needs no number."""
    if path in known:
        return known[path]
    if kind is None or isinstance(kind, str):
        return {"string": UNKNOWN, "number": 1, "bool": True, None: None}[kind]
    word, inner = kind
    if inner in ("number", "bool"):
        return None
    if word == "object":
        fields = {name: value(field, f"{path}.{name}", known) for name, field in inner.items()}
        return {name: found for name, found in fields.items() if found is not None} or None
    if word == "map":
        found = value(inner, f"{path}{{}}", known)
        return None if found is None else {KEYS.get(path, "one"): found}
    found = value(inner, f"{path}[]", known)
    return None if found is None else [found]


def arguments(folder: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return an argument for each variable of a folder that can hold a text or has to be set."""
    variables = hcl2.loads((folder / "variables.tf").read_text())["variable"]
    found = {}
    for name, body in ((name.strip('"'), body) for block in variables for name, body in block.items()):
        kind = parse(body["type"].removeprefix("${").removesuffix("}"))
        found[name] = None if "default" in body and kind in ("number", "bool") else value(kind, name, known)
    return {name: given for name, given in found.items() if given is not None}


MOCKED = {
    "aws_caller_identity": {"account_id": "123456789012"},
    "aws_iam_policy_document": {"json": "{}"},
    "aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com"},
    "aws_region": {"id": "eu-central-1"},
    "aws_service_principal": {"id": "logs.eu-central-1.amazonaws.com"},
}


def plan(workspace: Workspace, calls: Mapping[str, Any]) -> list[str]:
    """Plan calls of modules in a folder next to the root's, with nothing called, and return the errors."""
    folder = workspace.directory / "calls"
    folder.mkdir()
    configuration = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "resource": {"aws_kms_key": {"unknown": {}}},
        "module": calls,
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration))
    mocks = "".join(
        f'  mock_data "{kind}" {{\n    defaults = {json.dumps(values)}\n  }}\n' for kind, values in MOCKED.items()
    )
    test = f'mock_provider "aws" {{\n{mocks}}}\n\nrun "plan" {{\n  command = plan\n}}\n'
    (folder / "plan.tftest.hcl").write_text(test)
    installed, said = workspace.init(folder)
    assert installed, said
    with workspace.provider() as served:
        _, said = workspace.run("test", "-json", folder=folder, **served)
    shutil.rmtree(folder)
    output = messages(said)
    diagnostics = [message["diagnostic"] for message in output if message["type"] == "diagnostic"]
    errors = [one for one in diagnostics if one["severity"] == "error"]
    (summary,) = (message["test_summary"] for message in output if message["type"] == "test_summary")
    assert (summary["passed"] == 1) == (not errors), said
    return [f"{one['range']['filename']}: {one['summary']}: {one['detail']}" for one in errors]


@pytest.fixture
def own_workspace(tmp_path: Path) -> Workspace:
    """Return a workspace that a test can change."""
    return Workspace(tmp_path)


def test_modules_plan_with_unknown_texts(own_workspace: Workspace) -> None:
    calls = {
        f"{module.name}_{number}": {"source": f"../terraform/{module}", **arguments(TERRAFORM / module, known)}
        for module in MODULES
        for number, known in enumerate(KNOWN.get(module.name, [{}]))
    }
    assert json.dumps(calls).count(UNKNOWN) > 150
    assert plan(own_workspace, calls) == []


def test_the_root_plans_with_unknown_texts(own_workspace: Workspace) -> None:
    providers = own_workspace.root / "providers.tf"
    called, found = re.subn(r'(?ms)^provider "aws" \{.*?^\}$', "", providers.read_text())
    assert found == 1
    providers.write_text(called)  # a module takes its caller's provider, which is mocked
    given = arguments(TERRAFORM, KNOWN["root"][0])
    for path in ("api.web_acl.arn", "permissions_boundary_arn", "access_log.bucket", "notifications.one.endpoint"):
        reached: Any = given
        for step in path.split("."):
            reached = reached[step]
        assert reached == UNKNOWN, path
    assert plan(own_workspace, {"root": {"source": "../terraform", **given}}) == []


def test_a_count_by_an_unknown_input_is_found(own_workspace: Workspace) -> None:
    module = own_workspace.root / "modules" / "planted"
    module.mkdir()
    (module / "variables.tf").write_text(
        """
        variable "settings" {
          type = map(object({ size = optional(number, 1), role_arn = optional(string) }))
        }
        """
    )
    (module / "main.tf").write_text(
        """
        resource "aws_sqs_queue" "this" {
          count = var.settings["one"].role_arn == null ? 0 : 1
        }
        """
    )
    (error,) = plan(own_workspace, {"planted": {"source": "../terraform/modules/planted", **arguments(module, {})}})
    assert "Invalid count argument" in error
