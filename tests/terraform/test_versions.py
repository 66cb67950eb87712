"""Modules run with provider 5.100 to 6.x, under Terraform and OpenTofu.

What runs is provider 5.100 under Terraform, and under OpenTofu where it is installed. The rest is read in the code.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import hcl2
import pytest

from stack import NEEDS_TERRAFORM
from terraform.test_modules import BESIDE, EXAMPLES, MODULES, ROOT
from terraform.workspace import Workspace
from terraform_copy import TERRAFORM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What version 6 removed, renamed or uses for something else, by where it stood: arguments, blocks and attributes of
# resources and data sources. From the provider's "Version 6 Upgrade Guide" (website/docs/guides/version-6-upgrade).
REMOVED: dict[str, set[str]] = {
    "data.aws_batch_compute_environment": {"compute_environment_name"},
    "data.aws_ecs_task_definition": {"inference_accelerator"},
    "data.aws_ecs_task_execution": {"inference_accelerator_overrides"},
    "data.aws_identitystore_group": {"filter"},
    "data.aws_identitystore_user": {"filter"},
    "data.aws_launch_template": {"elastic_gpu_specifications", "elastic_inference_accelerator"},
    "data.aws_opensearch_domain": {"kibana_endpoint"},
    "data.aws_quicksight_data_set": {"tags_all"},
    "data.aws_region": {"name"},
    "data.aws_s3_bucket": {"region"},
    "data.aws_service_discovery_service": {"tags_all"},
    "data.aws_servicequotas_templates": {"region"},
    "data.aws_ssmincidents_replication_set": {"region"},
    "data.aws_vpc_endpoint_service": {"region"},
    "data.aws_vpc_peering_connection": {"region"},
    "aws_api_gateway_account": {"reset_on_delete"},
    "aws_api_gateway_deployment": {
        "canary_settings",
        "execution_arn",
        "invoke_url",
        "stage_description",
        "stage_name",
    },
    "aws_batch_compute_environment": {"compute_environment_name", "compute_environment_name_prefix"},
    "aws_batch_job_queue": {"compute_environments"},
    "aws_cloudformation_stack_set_instance": {"region"},
    "aws_config_aggregate_authorization": {"region"},
    "aws_dms_endpoint": {"s3_settings"},
    "aws_dx_gateway_association": {"vpn_gateway_id"},
    "aws_dx_hosted_connection": {"region"},
    "aws_ecs_task_definition": {"inference_accelerator"},
    "aws_eip": {"vpc"},
    "aws_eks_addon": {"resolve_conflicts"},
    "aws_flow_log": {"log_group_name"},
    "aws_guardduty_detector": {"datasources"},
    "aws_guardduty_organization_configuration": {"auto_enable", "datasources"},
    "aws_instance": {"cpu_core_count", "cpu_threads_per_core"},
    "aws_launch_template": {"elastic_gpu_specifications", "elastic_inference_accelerator"},
    "aws_networkmanager_core_network": {"base_policy_region"},
    "aws_opensearch_domain": {"kibana_endpoint"},
    "aws_redshift_cluster": {"logging", "snapshot_copy"},
    "aws_s3_bucket": {"region"},
    "aws_sagemaker_notebook_instance": {"accelerator_types"},
    "aws_servicequotas_template": {"region"},
    "aws_spot_instance_request": {"block_duration_minutes"},
    "aws_ssm_association": {"instance_id"},
    "aws_ssmincidents_replication_set": {"region"},
}
REMOVED_WHOLE = re.compile(r"aws_(opsworks_\w+|simpledb_domain|worklink_\w+|redshift_service_account)")

# OpenTofu 1.11 has every block, function and argument that Terraform 1.11 has, but for these of test files.
TERRAFORM_ONLY = re.compile(r"^\s*(override_during|parallel|state_key)\b", re.MULTILINE)

FOLDERS = [ROOT, *MODULES, *EXAMPLES, *BESIDE]


def gone_from_provider(text: str) -> Iterator[str]:
    """What a Terraform file has to do with that version 6 has no longer, as `type.name`."""
    parsed = hcl2.loads(text)
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for block in parsed.get(kind, []):
            for label, named in block.items():
                where = prefix + label.strip('"')
                if REMOVED_WHOLE.fullmatch(label.strip('"')):
                    yield where
                for body in named.values():
                    yield from (f"{where}.{name}" for name in sorted(names(body) & REMOVED.get(where, set())))
    for where, attributes in REMOVED.items():
        reference = rf"(?<![\w.]){re.escape(where)}\.\w+(?:\[[^]]*\])?\.({'|'.join(attributes)})\b"
        yield from (f"{where}.{name}" for name in sorted(set(re.findall(reference, text))))


def names(body: dict[str, Any]) -> set[str]:
    """The arguments and blocks in a block, dynamic ones too."""
    return {*body, *(label.strip('"') for dynamic in body.get("dynamic", []) for label in dynamic)}


def test_the_folders_are_all_there() -> None:
    assert len(MODULES) >= 10
    assert len(EXAMPLES) >= len(MODULES)


@pytest.mark.parametrize("folder", [*MODULES, *EXAMPLES], ids=str)
def test_it_admits_the_same_versions_as_all_others(folder: Path) -> None:
    file = TERRAFORM / folder / ("main.tf" if folder in EXAMPLES else "versions.tf")
    (settings,) = hcl2.loads(file.read_text())["terraform"]
    assert settings["required_version"].strip('"') == f">= {'.'.join(map(str, NEEDS_TERRAFORM))}"
    (providers,) = settings["required_providers"]
    assert {name for name in providers if not name.startswith("__")} == {"aws"}
    assert providers["aws"]["version"].strip('"') == ">= 5.100, < 7.0"


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_it_uses_nothing_that_version_6_of_the_provider_has_no_longer(folder: Path) -> None:
    files = sorted((TERRAFORM / folder).glob("*.tf"))
    assert files
    assert {file.name: found for file in files if (found := list(gone_from_provider(file.read_text())))} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('data "aws_region" "x" {}\nlocals {\n  r = data.aws_region.x.name\n}\n', ["data.aws_region.name"]),
        ('data "aws_region" "x" {}\nlocals {\n  r = data.aws_region.x.id\n}\n', []),
        ('data "aws_region" "x" {\n  name = "eu-west-1"\n}\n', ["data.aws_region.name"]),
        ('locals {\n  r = "in ${data.aws_region.x.name}"\n}\n', ["data.aws_region.name"]),
        (
            'resource "aws_api_gateway_deployment" "x" {\n  stage_name = "v1"\n}\n',
            ["aws_api_gateway_deployment.stage_name"],
        ),
        (
            'output "x" {\n  value = aws_api_gateway_deployment.x[0].invoke_url\n}\n',
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        (
            'output "x" {\n  value = aws_api_gateway_deployment.x[*].invoke_url\n}\n',
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        ('output "x" {\n  value = aws_api_gateway_stage.x.invoke_url\n}\n', []),
        (
            'resource "aws_api_gateway_account" "x" {\n  reset_on_delete = true\n}\n',
            ["aws_api_gateway_account.reset_on_delete"],
        ),
        (
            'resource "aws_redshift_cluster" "x" {\n  dynamic "logging" {\n    for_each = []\n    content {}\n  }\n}\n',
            ["aws_redshift_cluster.logging"],
        ),
        ('output "x" {\n  value = aws_s3_bucket.x.region\n}\n', ["aws_s3_bucket.region"]),
        ('output "x" {\n  value = data.aws_s3_bucket.x.region\n}\n', ["data.aws_s3_bucket.region"]),
        ('resource "aws_simpledb_domain" "x" {\n  name = "x"\n}\n', ["aws_simpledb_domain"]),
    ],
)
def test_what_version_6_has_no_longer_is_found(text: str, found: list[str]) -> None:
    assert list(gone_from_provider(text)) == found


@pytest.mark.parametrize("folder", MODULES, ids=str)
def test_its_own_tests_use_what_opentofu_has_too(folder: Path) -> None:
    files = sorted((TERRAFORM / folder).glob("tests/*.tftest.hcl"))
    assert files
    assert {file.name: found for file in files if (found := TERRAFORM_ONLY.findall(file.read_text()))} == {}


def test_what_opentofu_has_not_is_found() -> None:
    assert TERRAFORM_ONLY.findall('run "one" {\n  state_key = "a"\n  parallel  = true\n}\n') == [
        "state_key",
        "parallel",
    ]


@pytest.mark.skipif(shutil.which("tofu") is None, reason="OpenTofu (tofu) is not on the PATH")
@pytest.mark.parametrize("folder", MODULES, ids=str)
def test_its_own_tests_pass_under_opentofu(tofu: Workspace, folder: Path) -> None:
    at = tofu.root / folder
    installed, said = tofu.init(at)
    assert installed, said
    valid, said = tofu.run("validate", "-no-color", folder=at)
    assert valid, said
    passed, said = tofu.run("test", "-no-color", folder=at)
    assert passed, said
    assert re.search(r"\nSuccess! [1-9]\d* passed, 0 failed\.", said), said


@pytest.fixture(scope="module")
def tofu(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("tofu"), program="tofu")
