"""Modules run with provider 5.100 to 6.x, under Terraform and OpenTofu.

Provider 5.100 runs under Terraform, and under OpenTofu where it is installed. Provider 6 is compared by its schema.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import hcl2
import pytest

from scripts import prerequisites
from scripts.aws_checks import provider6
from scripts.aws_checks.provider_schemas import Schema, terraform_schemas
from scripts.terraform.copy import TERRAFORM
from scripts.terraform.stack import LOCK, Terraform
from tests.terraform.folders import DEPLOYMENTS, EXAMPLES, MODULES, ROOT
from tests.terraform.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# OpenTofu 1.11 has every block, function and argument that Terraform 1.11 has, but for these of test files.
TERRAFORM_ONLY = re.compile(r"^\s*(override_during|parallel|state_key)\b", re.MULTILINE)

PLATFORMS = 14  # that the provider is built for

FOLDERS = [ROOT, *MODULES, *EXAMPLES, *DEPLOYMENTS]


def test_the_folders_are_all_there() -> None:
    assert len(MODULES) >= 10
    assert len(EXAMPLES) >= len(MODULES)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_folder_has_the_same_versions_as_all_others(folder: Path) -> None:
    file = TERRAFORM / folder / ("main.tf" if folder in EXAMPLES else "versions.tf")
    (settings,) = hcl2.loads(file.read_text())["terraform"]
    assert settings["required_version"].strip('"') == f">= {'.'.join(map(str, prerequisites.TERRAFORM))}"
    (providers,) = settings["required_providers"]
    assert {name for name in providers if not name.startswith("__")} == {"aws"}
    assert providers["aws"]["version"].strip('"') == ">= 5.100, < 7.0"


def test_lock_file_fits_every_platform(root: Workspace) -> None:
    # A hash of each platform's files, and of each platform's archive and the list of archives.
    (locked,) = hcl2.loads(LOCK.read_text())["provider"]
    ((address, lock),) = ((name, one) for name, one in locked.items() if not name.startswith("__"))
    assert (address.strip('"'), lock["version"].strip('"')) == ("registry.terraform.io/hashicorp/aws", "5.100.0")
    hashes = [one.strip('"') for one in lock["hashes"]]
    assert len([one for one in hashes if one.startswith("h1:")]) == PLATFORMS
    assert len([one for one in hashes if one.startswith("zh:")]) == PLATFORMS + 1
    # `init` adds missing parts, such as a constraint.
    assert (root.root / LOCK.name).read_text() == LOCK.read_text()


def test_the_tools_install_the_locked_version(tmp_path: Path) -> None:
    shutil.copy(TERRAFORM / "versions.tf", tmp_path)
    Terraform(tmp_path, {}).init()
    assert (tmp_path / LOCK.name).read_text() == LOCK.read_text()


def test_version_6_has_everything_that_the_code_uses() -> None:
    assert list(provider6.check([])) == []


def test_types_are_the_same_in_both_versions(root: Workspace) -> None:
    written, said = root.run("providers", "schema", "-json")
    assert written, said[:2000]
    every = {use for text in provider6.code().values() for use in provider6.uses(text)}
    used = {use for use in every if provider6.split(use.path)[1]}
    types = {provider6.split(use.path)[0] for use in every}
    version5 = terraform_schemas(json.loads(said.partition("\n")[2]), types)
    assert version5.keys() == types
    five = {use.path: kind_of(version5, use) for use in used}
    six = {use.path: kind_of(provider6.schemas(), use) for use in used}
    assert {path: (kind, six[path]) for path, kind in five.items() if kind != six[path]} == {}
    assert len([kind for kind in six.values() if kind]) > 300


def kind_of(schemas: Mapping[str, Schema], use: provider6.Use) -> str | None:
    """Return the type of an argument or attribute, `block` for a block, None below an attribute that is an object."""
    name, [*within, last] = provider6.split(use.path)
    schema = schemas[name]
    for step in within:
        schema = schema.get("blocks", {}).get(step, {})
    known = {**schema.get("attributes", {}), **schema.get("arguments", {})}
    return "block" if last in schema.get("blocks", {}) else known.get(last)


def test_every_exception_is_needed() -> None:
    used = {use.path for text in provider6.code().values() for use in provider6.uses(text)}
    assert provider6.DEPRECATED_IN_USE.keys() <= used


def test_every_schema_is_used() -> None:
    used = set().union(*map(provider6.used_types, provider6.code().values()))
    assert provider6.schemas().keys() == used


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('data "aws_region" "x" {}\nlocals {\n  r = data.aws_region.x.name\n}\n', ["data.aws_region.name"]),
        ('data "aws_region" "x" {}\nlocals {\n  r = data.aws_region.x.id\n}\n', []),
        ('data "aws_region" "x" {\n  name = "eu-west-1"\n}\n', ["data.aws_region.name"]),
        ('locals {\n  r = "in ${data.aws_region.x.name}"\n}\n', ["data.aws_region.name"]),
        ('output "x" {\n  value = data.aws_region.x.code\n}\n', ["data.aws_region.code"]),
        (
            'resource "aws_api_gateway_deployment" "x" {\n  rest_api_id = "1"\n  stage_name = "v1"\n}\n',
            ["aws_api_gateway_deployment.stage_name"],
        ),
        (
            'resource "aws_api_gateway_deployment" "x" {\n  rest_api_id = "1"\n  canary_settings {}\n}\n',
            ["aws_api_gateway_deployment.canary_settings"],
        ),
        ('resource "aws_api_gateway_deployment" "x" {}\n', ["aws_api_gateway_deployment"]),
        (
            'output "x" {\n  value = aws_api_gateway_deployment.x[0].invoke_url\n}\n',
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        (
            'output "x" {\n  value = aws_api_gateway_deployment.x[*].invoke_url\n}\n',
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        (
            'output "x" {\n  value = { for k, d in aws_api_gateway_deployment.x : k => d.invoke_url }\n}\n',
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        (
            (
                'resource "aws_api_gateway_deployment" "x" {\n  rest_api_id = "1"\n  lifecycle {\n'
                "    ignore_changes = [stage_name]\n  }\n}\n"
            ),
            ["aws_api_gateway_deployment.stage_name"],
        ),
        (
            (
                'resource "aws_api_gateway_deployment" "x" {\n  rest_api_id = "1"\n  lifecycle {\n    postcondition {\n'
                '      condition = self.invoke_url != ""\n      error_message = "x"\n    }\n  }\n}\n'
            ),
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        (
            (
                'mock_provider "aws" {\n  mock_resource "aws_api_gateway_deployment" {\n'
                '    defaults = { invoke_url = "x" }\n  }\n}\n'
            ),
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        (
            (
                'run "x" {\n  override_resource {\n    target = module.a.aws_api_gateway_deployment.x\n'
                '    values = { invoke_url = "x" }\n  }\n}\n'
            ),
            ["aws_api_gateway_deployment.invoke_url"],
        ),
        ('output "x" {\n  value = aws_api_gateway_stage.x.invoke_url\n}\n', []),
        (
            'resource "aws_api_gateway_account" "x" {\n  reset_on_delete = true\n}\n',
            ["aws_api_gateway_account.reset_on_delete"],
        ),
        (
            'resource "aws_sqs_queue" "x" {\n  dynamic "logging" {\n    for_each = []\n    content {}\n  }\n}\n',
            ["aws_sqs_queue.logging"],
        ),
        ('resource "aws_sqs_queue" "x" {\n  name {}\n}\n', ["aws_sqs_queue.name"]),
        ('resource "aws_sqs_queue" "x" {\n  name = ["a"]\n}\n', ["aws_sqs_queue.name"]),
        ('resource "aws_sqs_queue" "x" {\n  tags = ["a"]\n}\n', ["aws_sqs_queue.tags"]),
        ('resource "aws_sqs_queue" "x" {\n  tags = { a = "b" }\n}\n', []),
        ('resource "aws_s3_bucket" "x" {\n  acl = "private"\n}\n', ["aws_s3_bucket.acl"]),
        (
            'resource "aws_dynamodb_table" "x" {\n  name = "x"\n  ttl {\n    attribute = "x"\n  }\n}\n',
            ["aws_dynamodb_table.ttl.attribute"],
        ),
        ('resource "aws_simpledb_domain" "x" {\n  name = "x"\n}\n', ["aws_simpledb_domain"]),
        ('ephemeral "aws_lambda_invocation" "x" {\n  function_name = "x"\n}\n', ["ephemeral block"]),
        ('provider "aws" {\n  region = "x"\n  s3_force_path_style = true\n}\n', ["provider.s3_force_path_style"]),
    ],
)
def test_parts_removed_in_version_6_are_found(text: str, found: list[str]) -> None:
    assert list(dict.fromkeys(where for where, _ in provider6.faults(text))) == found


@pytest.mark.parametrize("folder", MODULES, ids=str)
def test_its_own_tests_use_what_opentofu_has_too(folder: Path) -> None:
    files = sorted((TERRAFORM / folder).glob("tests/*.tftest.hcl"))
    assert files
    assert {file.name: found for file in files if (found := TERRAFORM_ONLY.findall(file.read_text()))} == {}


def test_parts_missing_in_opentofu_are_found() -> None:
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
