"""Make plans of the root, the examples and the deploy roles offline, with every value known.

Terraform's test command plans a configuration whose resources are all overridden: no AWS API is called, but the real
provider validates arguments and renders policy documents. What AWS would compute, such as an ARN, follows a template
for the type.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from botocore.session import Session

from scripts import ROOT
from scripts.terraform.copy import copy_terraform, offline_environment
from scripts.terraform.stack import TerraformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CACHE = ROOT / "build" / "aws"
ACCOUNT = "123456789012"
REGION = "eu-central-1"
NEIGHBOUR = "darkroom-uploads"  # the hardest one: names of the first pipeline begin with it
OTHER_REGION = "cn-north-1"  # another partition, too: its ARNs and host names differ

# Every option turned on. Options that exclude each other are split between the two.
EVERYTHING: dict[str, Any] = {
    "name": "darkroom",
    "region": REGION,
    "access_log": {"bucket": "access-logs"},
    "api": {
        "api_keys": ["shop"],
        "authorization": {
            "type": "COGNITO_USER_POOLS",
            "user_pool_arns": [f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_A1b2C3d4E"],
            "scopes": ["images/write"],
        },
        "cors_origins": ["https://example.com", "https://example.org"],
        "logs": True,
        "try_page": True,
        "web_acl": {
            "arn": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/account/11111111-2222-3333-4444-555555555555"
        },
    },
    "notifications": {"me": {"protocol": "email", "endpoint": "me@example.com"}},
    "observe": {
        "alarm_topic_arns": [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        "budget": {"usd": 20},
        "expected_every": 24,
        "findings": True,
        "schemas": True,
    },
    "originals": {"noncurrent_days": 30, "cors_origins": ["https://example.com"]},
    "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/darkroom-boundary",
    "processed": {"events": True},
    "reconcile": {"repair": True},
    "tags": {"Team": "images"},
}
OTHERWISE: dict[str, Any] = {
    "name": "darkroom",
    "region": REGION,
    "api": {
        "authorization": {
            "type": "LAMBDA",
            "function_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:darkroom-authorizer",
        },
        "cors_origins": ["https://example.com"],
    },
    "logs": {"level": "WARN"},
    "reconcile": {},
    "tracing": False,
    "workflow_type": "STANDARD",
}


@cache
def partition(region: str) -> str:
    """Return the partition of a region, such as `aws-cn`."""
    name: str = Session().get_partition_for_region(region)
    return name


@cache
def dns_suffix(region: str) -> str:
    """Return the domain of AWS's hosts in a region, by botocore's endpoints.json."""
    partitions = Session().get_data("endpoints")["partitions"]
    suffix: str = next(one["dnsSuffix"] for one in partitions if one["partition"] == partition(region))
    return suffix


@dataclass(frozen=True)
class Configuration:
    """A configuration to plan.

    Attributes:
        name: Name of the plan.
        folder: Path below `terraform/`.
        variables: Values of its variables.
        alias: Alias of the provider: `here`, or `elsewhere` in another region.
    """

    name: str
    folder: str = "."
    variables: Mapping[str, Any] = field(default_factory=dict)
    alias: str = "here"

    @property
    def region(self) -> str:
        """Region of the provider."""
        return _REGIONS[self.alias]


def configurations() -> list[Configuration]:
    """Return the root with everything turned on and otherwise, its neighbours, every example and the deploy roles."""
    return [
        Configuration("root", variables=EVERYTHING),
        Configuration("root otherwise", variables=OTHERWISE),
        Configuration("root of another name", variables={**EVERYTHING, "name": NEIGHBOUR}),
        Configuration("root in another region", variables=_moved(EVERYTHING, OTHER_REGION), alias="elsewhere"),
        *(Configuration(folder, folder) for folder in _examples()),
        Configuration("API logging", "examples/api_account_logging", {"region": REGION}),
        Configuration(
            "deploy roles",
            "examples/github_deploy_role",
            {"name": "darkroom", "region": REGION, "repository": "octo-org/photos", "state_bucket": "octo-org-state"},
        ),
    ]


def _examples() -> list[str]:
    root = ROOT / "terraform"
    return [
        path.parent.relative_to(root).as_posix() for path in sorted((root / "modules").glob("*/examples/*/main.tf"))
    ]


def _moved(variables: Mapping[str, Any], region: str) -> Any:  # noqa: ANN401 - variables of any shape
    """Return the variables with all regions and ARNs changed to another region."""
    moved = json.dumps(variables).replace(REGION, region)
    return json.loads(moved.replace("arn:aws:", f"arn:{partition(region)}:"))


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that a configuration would create.

    Attributes:
        address: Its address, with the keys of its modules and its own.
        module: Address of its module, empty for the root.
        type: Its type, such as `aws_sqs_queue`.
        index: Its own key, if it has one.
        values: Its attributes. Computed ones follow `_COMPUTED`, or are random strings.
    """

    address: str
    module: str
    type: str
    index: str | int | None
    values: Mapping[str, Any] = field(compare=False, repr=False)

    def value(self, *path: str | int) -> Any:  # noqa: ANN401 - a value of any type
        """Return the attribute at a path, or None."""
        found: Any = self.values
        for step in path:
            try:
                found = found[step]
            except (IndexError, KeyError, TypeError):
                return None
        return found


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration with all its values.

    Attributes:
        name: Name of its configuration.
        region: Region that it is for.
        resources: Resources by address.
    """

    name: str
    region: str
    resources: Mapping[str, Resource] = field(repr=False)

    def every(self, *types: str) -> list[Resource]:
        """Return the resources of some types, by address."""
        return [self.resources[address] for address in sorted(self.resources) if self.resources[address].type in types]

    def changed(self, address: str, path: Sequence[str | int], change: Callable[[Any], Any]) -> Plan:
        """Return a plan with one attribute changed: tests plant mistakes with it.

        Args:
            address: Address of the resource.
            path: The attribute: names, and numbers of blocks.
            change: Gets the attribute's value, or None, and returns the new one.

        Raises:
            KeyError: The plan has no such resource.
        """
        resource = self.resources[address]
        values = copy.deepcopy(dict(resource.values))
        within: Any = values
        for step in path[:-1]:
            within = within[step]
        before = within.get(path[-1]) if isinstance(within, dict) else within[path[-1]]
        within[path[-1]] = change(before)
        return replace(self, resources={**self.resources, address: replace(resource, values=values)})


def load_plans() -> list[Plan]:
    """Return the plan of each configuration, from the cache if their sources have not changed.

    Raises:
        TerraformError: Terraform is missing or has failed.
    """
    file = CACHE / f"{_digest()}.json"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        documents = _make()
        for former in CACHE.glob("*.json*"):
            former.unlink()
        unfinished = file.with_suffix(".json.part")
        unfinished.write_text(json.dumps(documents))
        unfinished.rename(file)
    return [_read(document) for document in json.loads(file.read_text())]


def _read(document: Mapping[str, Any]) -> Plan:
    resources = [Resource(**one) for one in document["resources"]]
    return Plan(document["name"], document["region"], {resource.address: resource for resource in resources})


def _digest() -> str:
    folders = (ROOT / "terraform", ROOT / "events")
    files = [
        path for folder in folders for path in folder.rglob("*") if path.is_file() and ".terraform" not in path.parts
    ]
    digest = hashlib.sha256()
    for file in sorted([*files, Path(__file__), ROOT / "scripts" / "terraform" / "copy.py"]):
        digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _make() -> list[dict[str, Any]]:
    """Return a document for each plan: `Plan` in JSON."""
    wanted = configurations()
    roots = [one for one in wanted if one.folder == "."]
    # Loading the provider takes longer than an example's plan: all examples share one run of Terraform.
    batches = {"roots": roots, "examples": [one for one in wanted if one not in roots]}
    with TemporaryDirectory() as directory:
        terraform = _Terraform(Path(directory), batches)
        with ThreadPoolExecutor(len(batches)) as pool:
            return [document for batch in pool.map(terraform.plan, batches) for document in batch]


# Attributes that AWS computes, by type. {name} is the resource's own name (`_NAMES`), {id} a made-up id.
_COMPUTED: dict[str, dict[str, str]] = {
    "aws_api_gateway_api_key": {"id": "{id}", "value": "{id}{id}"},
    "aws_api_gateway_deployment": {"id": "{id}"},
    "aws_api_gateway_rest_api": {
        "arn": "arn:{partition}:apigateway:{region}::/restapis/{id}",
        "id": "{id}",
        "execution_arn": "arn:{partition}:execute-api:{region}:{account}:{id}",
    },
    "aws_api_gateway_stage": {
        "arn": "arn:{partition}:apigateway:{region}::/restapis/{id}/stages/{name}",
        "invoke_url": "https://{id}.execute-api.{region}.{suffix}/{name}",
    },
    "aws_cloudwatch_event_archive": {"arn": "arn:{partition}:events:{region}:{account}:archive/{name}"},
    "aws_cloudwatch_event_bus": {"arn": "arn:{partition}:events:{region}:{account}:event-bus/{name}"},
    "aws_cloudwatch_event_rule": {"arn": "arn:{partition}:events:{region}:{account}:rule/{name}"},
    "aws_cloudwatch_log_group": {"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"},
    "aws_cloudwatch_metric_alarm": {"arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"},
    "aws_dynamodb_table": {
        "arn": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
        "stream_arn": "arn:{partition}:dynamodb:{region}:{account}:table/{name}/stream/2026-01-01T00:00:00.000",
    },
    "aws_iam_openid_connect_provider": {
        "arn": "arn:{partition}:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
    },
    "aws_iam_policy": {"arn": "arn:{partition}:iam::{account}:policy/{name}"},
    "aws_iam_role": {"arn": "arn:{partition}:iam::{account}:role/{name}", "unique_id": "AROA{id}"},
    "aws_kms_key": {"arn": "arn:{partition}:kms:{region}:{account}:key/{uuid}", "key_id": "{uuid}"},
    "aws_lambda_alias": {"arn": "arn:{partition}:lambda:{region}:{account}:function:{name}"},
    "aws_lambda_function": {
        "arn": "arn:{partition}:lambda:{region}:{account}:function:{name}",
        "qualified_arn": "arn:{partition}:lambda:{region}:{account}:function:{name}:1",
        "version": "1",
    },
    "aws_s3_bucket": {
        "arn": "arn:{partition}:s3:::{name}",
        "id": "{name}",
        "bucket_regional_domain_name": "{name}.s3.{region}.{suffix}",
    },
    "aws_scheduler_schedule": {"arn": "arn:{partition}:scheduler:{region}:{account}:schedule/default/{name}"},
    "aws_schemas_registry": {"arn": "arn:{partition}:schemas:{region}:{account}:registry/{name}"},
    "aws_sfn_state_machine": {"arn": "arn:{partition}:states:{region}:{account}:stateMachine:{name}"},
    "aws_sns_topic": {
        "arn": "arn:{partition}:sns:{region}:{account}:{name}",
        "id": "arn:{partition}:sns:{region}:{account}:{name}",
    },
    "aws_sqs_queue": {
        "arn": "arn:{partition}:sqs:{region}:{account}:{name}",
        "id": "https://sqs.{region}.{suffix}/{account}/{name}",
        "url": "https://sqs.{region}.{suffix}/{account}/{name}",
    },
}
_NAMES = ("name", "bucket", "function_name", "alarm_name", "stage_name")
_TOKEN = re.compile(r"override-[0-9]{4}")


class _Terraform:
    """Terraform in a copy of the configuration, with a test file for each batch of configurations."""

    def __init__(self, directory: Path, batches: Mapping[str, Sequence[Configuration]]) -> None:
        self._batches = batches
        self._root = copy_terraform(directory)
        self._environment = offline_environment(directory)
        self._tokens = {one.name: _Tokens() for batch in batches.values() for one in batch}
        (self._root / _FOLDER).mkdir()
        for name, batch in batches.items():
            runs = [_run(self._root, one, self._tokens[one.name]) for one in batch]
            (self._root / _FOLDER / f"{name}.tftest.hcl").write_text("\n".join([_PROVIDER, *runs]))
        self._terraform("init", "-backend=false", "-input=false", "-no-color", f"-test-directory={_FOLDER}")

    def plan(self, batch: str) -> list[dict[str, Any]]:
        """Plan the configurations of a batch.

        Raises:
            TerraformError: A configuration cannot be planned.
        """
        said = self._terraform(
            "test", "-json", "-verbose", f"-test-directory={_FOLDER}", f"-filter={_FOLDER}/{batch}.tftest.hcl"
        )
        plans = [message["test_plan"] for message in said if message["type"] == "test_plan"]
        return [
            {
                "name": one.name,
                "region": one.region,
                "resources": self._tokens[one.name].replaced(list(_resources(plan))),
            }
            for one, plan in zip(self._batches[batch], plans, strict=True)
        ]

    def _terraform(self, *arguments: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self._root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode:
            said = [
                f"{message.get('@testrun', '')}: {found.get('address', '')}: {found['summary']}: {found['detail']}"
                for message in messages
                if message["type"] == "diagnostic" and (found := message["diagnostic"])["severity"] == "error"
            ]
            raise TerraformError(f"terraform {arguments[0]} failed:\n" + ("\n".join(said) or done.stdout + done.stderr))
        return messages


class _Tokens:
    """Placeholders for names of resources until the real names are known."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}

    def take(self, address: str) -> str:
        """Return a token for a resource, whose address may be without keys."""
        token = f"override-{len(self._addresses):04}"
        self._addresses[token] = address
        return token

    def replaced(self, resources: Sequence[dict[str, Any]]) -> Any:  # noqa: ANN401 - JSON
        """Return the resources with each token replaced by the name of its resource."""
        by_address: dict[str, list[dict[str, Any]]] = {}
        for resource in resources:
            for address in {resource["address"], re.sub(r"\[[^]]*\]$", "", resource["address"])}:
                by_address.setdefault(address, []).append(resource)

        def name(token: str, user: Mapping[str, Any]) -> str:
            found = by_address.get(self._addresses[token], [])
            same_index = [one for one in found if one["index"] == user["index"]] or found
            return _name(same_index[0]["values"]) if same_index else token

        return [
            json.loads(_TOKEN.sub(lambda match, user=resource: name(match[0], user), json.dumps(resource)))  # type: ignore[misc]
            for resource in resources
        ]


def _name(values: Mapping[str, Any]) -> str:
    name = next(str(values[key]) for key in _NAMES if values.get(key))
    # A rule's ARN names its bus too, unless it is the default one.
    bus = values.get("event_bus_name")
    return f"{bus}/{name}" if bus and bus != "default" else name


_FOLDER = "aws-checks"
_REGIONS = {"here": REGION, "elsewhere": OTHER_REGION}
_PROVIDER = "\n".join(
    f"""\
provider "aws" {{
  alias                       = "{alias}"
  region                      = "{region}"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}}
"""
    for alias, region in _REGIONS.items()
)


def _run(root: Path, configuration: Configuration, tokens: _Tokens) -> str:
    """Return a run block that plans a configuration and calls nothing."""
    region = configuration.region
    places = {"account": ACCOUNT, "partition": partition(region), "region": region, "suffix": dns_suffix(region)}
    overrides = []
    for kind, type_, address in _declared(root / configuration.folder):
        if type_ == "aws_caller_identity":
            overrides.append(_override(kind, address, {"account_id": ACCOUNT}))
        elif kind == "resource":
            token = tokens.take(address)
            # No two plans have an id in common, as no two accounts do.
            made_up = uuid5(NAMESPACE_URL, f"{configuration.name}/{address}")
            own = {"name": token, "id": made_up.hex[:10], "uuid": made_up}
            computed = {key: text.format(**places, **own) for key, text in _COMPUTED.get(type_, {}).items()}
            overrides.append(_override(kind, address, computed))
    variables = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in configuration.variables.items())
    module = "" if configuration.folder == "." else f'  module {{\n    source = "./{configuration.folder}"\n  }}\n'
    return "\n".join(
        [
            f'run "{re.sub(r"[^a-z]", "_", configuration.name)}" {{',
            "  command = plan",
            module,
            f"  variables {{\n{variables}  }}",
            f"  providers = {{ aws = aws.{configuration.alias} }}",
            *overrides,
            "}",
        ]
    )


def _override(kind: str, address: str, values: Mapping[str, str]) -> str:
    return f"override_{kind} {{\n  target = {address}\n  override_during = plan\n  values = {json.dumps(values)}\n}}"


def _declared(folder: Path, module: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the resources and data sources of a configuration: kind, type and address.

    A module with `count` has its resources at `module.name[0]` only, which is what an override has to name.
    """
    for file in sorted(folder.glob("*.tf")):
        text = file.read_text(encoding="utf-8")
        for kind, type_, name in re.findall(r'^(resource|data) "(\w+)" "(\w+)"', text, re.MULTILINE):
            yield kind, type_, f"{module}{'data.' if kind == 'data' else ''}{type_}.{name}"
        for name, source, repetition in re.findall(
            r'^module "(\w+)" \{\n\s+source\s+= "(\.[^"]+)"(?:\n\s+(count|for_each)\s)?', text, re.MULTILINE
        ):
            yield from _declared(
                (folder / source).resolve(), f"{module}module.{name}{'[0]' if repetition == 'count' else ''}."
            )


def _resources(plan: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in plan["resource_changes"]:
        yield {
            "address": one["address"],
            "module": one.get("module_address", ""),
            "type": one["type"],
            "index": one.get("index"),
            "values": one["change"]["after"],
        }
