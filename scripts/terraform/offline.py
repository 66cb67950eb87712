"""Plans by Terraform's test command, with every value known and no call of AWS.

All resources are overridden, but the real provider validates arguments and renders policy documents. What AWS would
compute, such as an ARN, follows a template for the type.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from botocore.session import Session

from scripts.terraform.copy import copy_terraform, offline_environment
from scripts.terraform.stack import TerraformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ACCOUNT = "123456789012"
REGION = "eu-central-1"
OTHER_REGION = "cn-north-1"  # another partition, too: its ARNs and host names differ


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


def plan_offline(*batches: Sequence[Configuration], added: Path | None = None) -> list[dict[str, Any]]:
    """Return a document for each configuration: name, region and resources.

    Args:
        batches: Configurations to plan, by runs of Terraform. The runs go side by side, and each of them loads the
            provider, which takes longer than a small plan.
        added: A folder to copy into `terraform/` first, for a configuration that is not there.

    Raises:
        TerraformError: Terraform is missing, or a configuration cannot be planned.
    """
    with TemporaryDirectory() as directory:
        terraform = _Terraform(Path(directory), batches, added)
        with ThreadPoolExecutor(len(batches)) as pool:
            return [document for batch in pool.map(terraform.plan, range(len(batches))) for document in batch]


# Attributes that AWS computes, by type. {name} is the resource's own name (`_NAMES`), {id} a made-up id.
_COMPUTED: dict[str, dict[str, Any]] = {
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
    "aws_s3_bucket_lifecycle_configuration": {"rule": {"prefix": "", "filter": {"prefix": ""}}},  # all rules
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

    def __init__(self, directory: Path, batches: Sequence[Sequence[Configuration]], added: Path | None) -> None:
        self._batches = batches
        self._root = copy_terraform(directory)
        if added:
            shutil.copytree(added, self._root / added.name)
        self._environment = offline_environment(directory)
        self._tokens = {one.name: _Tokens() for batch in batches for one in batch}
        (self._root / _FOLDER).mkdir()
        for number, batch in enumerate(batches):
            runs = [_run(self._root, one, self._tokens[one.name]) for one in batch]
            (self._root / _FOLDER / f"{number}.tftest.hcl").write_text("\n".join([_PROVIDER, *runs]))
        self._terraform("init", "-backend=false", "-input=false", "-no-color", f"-test-directory={_FOLDER}")

    def plan(self, batch: int) -> list[dict[str, Any]]:
        """Plan the configurations of a batch.

        Raises:
            TerraformError: A configuration cannot be planned.
        """
        messages = self._terraform(
            "test", "-json", "-verbose", f"-test-directory={_FOLDER}", f"-filter={_FOLDER}/{batch}.tftest.hcl"
        )
        plans = [message["test_plan"] for message in messages if message["type"] == "test_plan"]
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
            errors = [
                f"{message.get('@testrun', '')}: {found.get('address', '')}: {found['summary']}: {found['detail']}"
                for message in messages
                if message["type"] == "diagnostic" and (found := message["diagnostic"])["severity"] == "error"
            ]
            raise TerraformError(
                f"terraform {arguments[0]} failed:\n" + ("\n".join(errors) or done.stdout + done.stderr)
            )
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


_FOLDER = "offline"
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
            computed = {
                key: value.format(**places, **own) if isinstance(value, str) else value
                for key, value in _COMPUTED.get(type_, {}).items()
            }
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


def _override(kind: str, address: str, values: Mapping[str, Any]) -> str:
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
