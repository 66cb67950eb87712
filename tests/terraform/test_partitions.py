"""Hosts and principals of every partition: the provider, which the configuration asks, agrees with AWS's SDK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.workspace import Workspace

PARTITIONS = boto3.Session().get_available_partitions()

# https://docs.amazonaws.cn/en_us/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
LOGS = {"aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov"}


def region(partition: str) -> str:
    """Return a region of a partition."""
    return boto3.Session().get_available_regions("s3", partition_name=partition)[0]


@pytest.fixture(scope="module")
def outputs(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the provider's data about each partition, for which it calls nothing."""
    folder: Path = tmp_path_factory.mktemp("partitions")
    offline = dict.fromkeys(
        (
            "skip_credentials_validation",
            "skip_metadata_api_check",
            "skip_region_validation",
            "skip_requesting_account_id",
        ),
        True,
    )
    configuration = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {
            "aws": [
                {"alias": name, "region": region(name), "access_key": "none", "secret_key": "none", **offline}
                for name in PARTITIONS
            ]
        },
        "data": {
            "aws_partition": {name: {"provider": f"aws.{name}"} for name in PARTITIONS},
            "aws_service_principal": {name: {"provider": f"aws.{name}", "service_name": "logs"} for name in PARTITIONS},
        },
        "output": {
            name: {
                "value": [
                    f"${{data.aws_partition.{name}.partition}}",
                    f"${{data.aws_partition.{name}.dns_suffix}}",
                    f"${{data.aws_service_principal.{name}.id}}",
                ]
            }
            for name in PARTITIONS
        },
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration))
    for arguments in (("init", "-input=false"), ("apply", "-auto-approve", "-input=false")):
        succeeded, said = workspace.run(*arguments, folder=folder)
        assert succeeded, said
    _, said = workspace.run("output", "-json", folder=folder)
    return {name: output["value"] for name, output in json.loads(said.partition("\n")[2]).items()}


@pytest.mark.parametrize("partition", PARTITIONS)
def test_partition_is_the_same_in_provider_and_sdk(outputs: dict[str, Any], partition: str) -> None:
    resolver = botocore.session.get_session().get_component("endpoint_resolver")
    name, domain, logs = outputs[partition]
    assert (name, domain) == (partition, resolver.get_partition_dns_suffix(partition))
    assert logs == f"logs.{region(partition)}.{LOGS.get(partition, 'amazonaws.com')}"
