"""Messages of a plan of the root for mistakes, and the resources of an apply with defaults."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from darkroom.pricing import READS, load_prices
from process_image.image import Limits
from process_image.isolation import Budget
from process_image.settings import Settings
from reconcile.settings import Settings as ReconcileSettings
from scripts import ROOT
from scripts.contracts.events import load
from scripts.terraform.copy import ARCHITECTURE, RUNTIME, TERRAFORM
from tests.terraform.workspace import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.terraform.workspace import Workspace

GOOD = {"name": "darkroom", "region": "eu-central-1"}


def variant(**fields: Any) -> dict[str, Any]:
    return {"name": "web", "width": 1024, **fields}


def marked(**fields: Any) -> dict[str, Any]:
    return variant(watermark={"text": "Darkroom", **fields})


# Mistakes in one variable: no provider is needed to find them.

MISTAKES: dict[str, dict[str, Any]] = {
    'name "Darkroom"': {"name": "Darkroom"},
    'name "1st"': {"name": "1st"},
    "observe.findings needs one to five topics, but alarm_topic_arns has 0": {"observe": {"findings": True}},
    'name "a-name-that-is-far-too-long"': {"name": "a-name-that-is-far-too-long"},
    "result in bucket names of 64 characters, but S3 allows 63: use a name of at most 23": {
        "name": "n" * 24,
        "region": "xx-northwest-10a",
    },
    'name "xn--images" begins with amzn-s3-demo-, sthree- or xn--': {"name": "xn--images"},
    'runtime "3.13"': {"runtime": "3.13"},
    'logs.level is "TRACE"': {"logs": {"level": "TRACE"}},
    "max_bytes is 0": {"limits": {"max_bytes": 0}},
    "max_frames is 0.5, max_seconds is -1": {"limits": {"max_frames": 0.5, "max_seconds": -1}},
    "max_pixels is 178956971": {"limits": {"max_pixels": 178956971}},
    "max_metadata_bytes is 16777217": {"limits": {"max_metadata_bytes": 16777217}},
    "limits.max_seconds 10 + 25 s for an unanswered request: set it to at least 75": {"process_image": {"timeout": 74}},
    "memory of 1023 MB is less than limits.max_memory 768 + 256 MB for the function itself: set it to at least 1024": {
        "process_image": {"memory": 1023},
        "limits": {"max_memory": 768},
    },
    "variants: the list is empty: add at least one variant": {"variants": []},
    '"a/b", "" is not a valid name': {"variants": [variant(name="a/b"), variant(name=""), variant(name="good")]},
    '"web" is used more than once': {"variants": [variant(), variant(name="other"), variant(width=7)]},
    '"web" has the unknown format "tiff"': {"variants": [variant(format="tiff"), variant(name="other")]},
    '"web" has the unknown fit "fill"': {"variants": [variant(height=768, fit="fill")]},
    '"web" has the quality 101': {"variants": [variant(quality=101)]},
    '"web" has the quality 0': {"variants": [variant(quality=0)]},
    '"web" has the quality 80.5': {"variants": [variant(quality=80.5)]},
    '"web" has neither width nor height': {"variants": [{"name": "web"}]},
    'a width or height of "web" is out of range': {"variants": [variant(width=8193)]},
    'a width or height of "tall" is out of range': {"variants": [{"name": "tall", "height": 0}]},
    'a width or height of "half" is out of range': {"variants": [{"name": "half", "height": 10.5}]},
    '"web" needs both width and height for its fit': {"variants": [variant(fit="cover")]},
    '"web" has a background that is not a colour': {"variants": [variant(background="white")]},
    'the watermark of "web" needs either text or image': {"variants": [variant(watermark={})]},
    'the watermark of "web" needs either text or image: set exactly one': {"variants": [marked(image="logo.png")]},
    'the watermark of "web" is out of range: use a scale above 0 and up to 1': {"variants": [marked(scale=0)]},
    "is out of range: use a scale above 0 and up to 1, an opacity from 0 to 1": {"variants": [marked(opacity=1.1)]},
    "and a margin from 0 to 0.5": {"variants": [marked(margin=0.6)]},
    'the watermark text of "web" cannot be drawn': {"variants": [marked(text="写真")]},
    'the watermark text of "padded" cannot be drawn': {
        "variants": [marked(), {**marked(text="Darkroom\n"), "name": "padded"}]
    },
    'the watermark text of "blank" cannot be drawn': {"variants": [marked(), {**marked(text="  "), "name": "blank"}]},
    'the watermark of "web" has an unknown position': {
        "variants": [marked(position="middle"), {**marked(), "name": "good"}]
    },
    '"application" differs only in case from Application': {"tags": {"application": "shop"}},
    '"Team", "team" differ only in case': {"tags": {"Team": "shop", "team": "shop", "Application": "shop"}},
    'no key that begins with aws:. Not valid: "AWS:team", "te*m", "team"': {
        "tags": {"AWS:team": "x", "te*m": "x", "team": "x" * 257, "Ünit 1_.:/=+@-": "", "Application": "y"}
    },
    "api.upload_expiry is 3601 s": {"api": {"upload_expiry": 3601}},
    'reconcile.schedule "daily"': {"reconcile": {"schedule": "daily"}},
    "reconcile.grace_minutes is 0": {"reconcile": {"grace_minutes": 0}},
    "reconcile.timeout is 60 s": {"reconcile": {"timeout": 60}},
    "authorization.type AWS_IAM requires a signature": {"api": {"try_page": True}},
}


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with only the root's variables."""
    folder = tmp_path_factory.mktemp("variables")
    shutil.copy(TERRAFORM / "variables.tf", folder)
    return folder


def plan(workspace: Workspace, folder: Path, values: dict[str, Any]) -> list[str]:
    """Return the errors of a plan with these values: each error's detail."""
    (folder / "terraform.tfvars.json").write_text(json.dumps(GOOD | values))
    succeeded, said = workspace.run("plan", "-json", "-input=false", folder=folder)
    details = [message["diagnostic"]["detail"] for message in messages(said) if message["type"] == "diagnostic"]
    assert succeeded == (details == []), said
    return details


@pytest.fixture(scope="module")
def mistakes(workspace: Workspace, variables: Path) -> dict[str, list[str]]:
    """Plan each mistake; return the errors."""
    return {message: plan(workspace, variables, values) for message, values in MISTAKES.items()}


@pytest.mark.parametrize("message", MISTAKES)
def test_mistake_fails_at_plan_and_is_named(mistakes: dict[str, list[str]], message: str) -> None:
    (error,) = mistakes[message]
    assert message in error


def test_defaults_of_variables_are_valid(workspace: Workspace, variables: Path) -> None:
    assert plan(workspace, variables, {}) == []


def test_each_validation_rule_has_a_mistake(mistakes: dict[str, list[str]]) -> None:
    lines = (TERRAFORM / "variables.tf").read_text().splitlines()
    rules = {number for number, line in enumerate(lines, start=1) if line.strip() == "validation {"}
    found = {
        int(line)
        for errors in mistakes.values()
        for error in errors
        for line in re.findall(r"validation rule at variables\.tf:(\d+),", error)
    }
    assert found == rules


# Mistakes that only the whole root finds, with a mocked provider.


def planned(**values: Any) -> str:
    """Return a plan of the root with other values of its variables, as a test's file."""
    given = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in values.items())
    return f'run "plan" {{\n  command = plan\n\n  variables {{\n{given}  }}\n}}\n'


PLANNED = {
    "a_missing_artifact": planned(artifacts="../missing/manifest.json"),
    "an_artifact_of_another_python": planned(runtime="python3.11", architecture="x86_64"),
    "a_changed_artifact": planned(artifacts="../changed/manifest.json"),
    "an_unknown_architecture": planned(architecture="arm"),
    "an_unknown_type_of_workflow": planned(workflow_type="FAST"),
    "a_timeout_that_lambda_does_not_allow": planned(process_image={"timeout": 901}),
    "a_retention_that_cloudwatch_does_not_know": planned(logs={"retention_days": 45}),
    "a_protocol_that_sns_does_not_speak": planned(notifications={"shop": {"protocol": "pigeon", "endpoint": "roof"}}),
}


def errors(output: list[dict[str, Any]]) -> list[str]:
    found = [message["diagnostic"] for message in output if message["type"] == "diagnostic"]
    return [f"{diagnostic['summary']}: {diagnostic['detail']}" for diagnostic in found]


@pytest.fixture(scope="module")
def plans(root: Workspace) -> dict[str, list[str]]:
    """Return the errors of each plan."""
    shutil.copytree(root.directory / "build", root.directory / "changed")
    with (root.directory / "changed" / f"process_image-{ARCHITECTURE}-{RUNTIME}.zip").open("ab") as archive:
        archive.write(b"more")
    return {name: errors(output) for name, output in root.play(PLANNED).items()}


def test_missing_artifact_has_its_build_command(plans: dict[str, list[str]]) -> None:
    found = plans["a_missing_artifact"]
    missing = f"../missing/process_image-{ARCHITECTURE}-{RUNTIME}.zip of function darkroom-process-image does not exist"
    assert any(missing in error for error in found), found
    assert all("build it first, with: make package." in error for error in found), found


def test_artifact_of_another_python_has_its_command(plans: dict[str, list[str]]) -> None:
    found = plans["an_artifact_of_another_python"]
    assert any("make package PACKAGE='--arch x86_64 --python 3.11'" in error for error in found), found


def test_artifact_must_match_the_manifest(plans: dict[str, list[str]]) -> None:
    (error,) = plans["a_changed_artifact"]
    assert "build it again, with: make package." in error


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("an_unknown_architecture", "arm64"),
        ("an_unknown_type_of_workflow", "EXPRESS"),
        ("a_timeout_that_lambda_does_not_allow", "900"),
        ("a_retention_that_cloudwatch_does_not_know", "45"),
        ("a_protocol_that_sns_does_not_speak", "pigeon"),
    ],
)
def test_a_mistake_that_a_module_knows_fails_at_plan(plans: dict[str, list[str]], name: str, message: str) -> None:
    assert any(message in error for error in plans[name]), plans[name]


# Resources of an apply

SUBSCRIBER = "arn:aws:sqs:eu-central-1:123456789012:shop"
OPERATORS = "arn:aws:sns:eu-central-1:123456789012:operators"
API = "https://abc.execute-api.eu-central-1.amazonaws.com/v1"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
APPLIED = f"""
run "apply" {{
  variables {{
    permissions_boundary_arn = "{BOUNDARY}"
    reconcile                = {{ repair = true }}
    api                      = {{ try_page = true, authorization = {{ type = "API_KEY" }}, api_keys = ["me"] }}

    observe = {{ alarm_topic_arns = ["{OPERATORS}"], budget = {{ usd = 50 }}, findings = true, schemas = true }}

    notifications = {{
      shop = {{ protocol = "sqs", endpoint = "{SUBSCRIBER}", filter_policy = {{ status = ["Processed"] }} }}
    }}
  }}
}}
"""

UNTRACED = """
run "apply" {
  variables {
    logs    = { level = "ERROR" }
    tracing = false
  }
}
"""

# Values that the provider checks the form of.
ARNS = {
    "aws_cloudwatch_event_bus": "arn:aws:events:eu-central-1:123456789012:event-bus/mocked",
    "aws_cloudwatch_log_group": "arn:aws:logs:eu-central-1:123456789012:log-group:mocked",
    "aws_lambda_function": "arn:aws:lambda:eu-central-1:123456789012:function:mocked",
    "aws_iam_role": "arn:aws:iam::123456789012:role/mocked",
    "aws_sqs_queue": "arn:aws:sqs:eu-central-1:123456789012:mocked",
}


class Applied:
    """Resources that the mocked provider created."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.outputs = {name: output["value"] for name, output in state["outputs"].items()}
        self._resources = list(_resources(state["root_module"]))

    def every(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resources of a type by address; there is at least one."""
        found = {one["address"]: one["values"] for one in self._resources if one["type"] == kind}
        assert found, kind
        return found

    def kinds(self) -> set[str]:
        """Return the types of all resources."""
        return {one["type"] for one in self._resources if one["mode"] == "managed"} - {"terraform_data"}

    def one(self, kind: str, module: str) -> dict[str, Any]:
        """Return the resource of a type in a module."""
        (found,) = (values for at, values in self.every(kind).items() if at.startswith(f"module.{module}."))
        return found

    @property
    def key_arn(self) -> str:
        return f"arn:aws:kms:eu-central-1:123456789012:key/{self.one('aws_kms_key', 'key')['key_id']}"


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


@pytest.fixture(scope="module")
def applies(root: Workspace) -> dict[str, Applied]:
    """Return the resources of each apply."""
    overrides = "".join(
        f'  mock_resource "{kind}" {{\n    defaults = {{ arn = "{arn}" }}\n  }}\n' for kind, arn in ARNS.items()
    )
    overrides += f'  mock_resource "aws_api_gateway_stage" {{\n    defaults = {{ invoke_url = "{API}" }}\n  }}\n'
    made = {}
    for name, output in root.play({"applied": APPLIED, "untraced": UNTRACED}, mocks=overrides).items():
        assert errors(output) == []
        (state,) = (message["test_state"] for message in output if message["type"] == "test_state")
        made[name] = Applied(state)
    return made


@pytest.fixture(scope="module")
def applied(applies: dict[str, Applied]) -> Applied:
    """Return the root with its defaults, one subscription, a boundary, a comparison, and all options of `observe`."""
    return applies["applied"]


def test_targets_have_a_dlq(applied: Applied) -> None:
    targets = applied.every("aws_cloudwatch_event_target")
    assert len(targets) >= 5
    for address, target in targets.items():
        assert target["dead_letter_config"] == [{"arn": ARNS["aws_sqs_queue"]}], address


def test_every_role_is_bounded(applied: Applied) -> None:
    roles = applied.every("aws_iam_role")
    assert len(roles) >= 7
    assert {address: role["permissions_boundary"] for address, role in roles.items()} == dict.fromkeys(roles, BOUNDARY)


# Types with names that are global in the account or the world: attribute of the name, and longest name that AWS takes.
GLOBAL = {
    "aws_budgets_budget": ("name", 100),
    "aws_cloudwatch_dashboard": ("dashboard_name", 255),
    "aws_iam_role": ("name", 64),
    "aws_s3_bucket": ("bucket", 63),
}
# Regional, or named within what another resource names.
REGIONAL = {
    "aws_api_gateway_account",
    "aws_api_gateway_api_key",
    "aws_api_gateway_deployment",
    "aws_api_gateway_method_settings",
    "aws_api_gateway_rest_api",
    "aws_api_gateway_stage",
    "aws_api_gateway_usage_plan",
    "aws_api_gateway_usage_plan_key",
    "aws_cloudwatch_event_archive",
    "aws_cloudwatch_event_bus",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_query_definition",
    "aws_dynamodb_table",
    "aws_iam_role_policy",
    "aws_kms_alias",
    "aws_kms_key",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_function_recursion_config",
    "aws_s3_bucket_cors_configuration",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_object",
    "aws_scheduler_schedule",
    "aws_schemas_registry",
    "aws_schemas_schema",
    "aws_sfn_state_machine",
    "aws_sns_topic",
    "aws_sns_topic_subscription",
    "aws_sqs_queue",
}


def test_global_names_hold_the_region(applied: Applied) -> None:
    """The same name can be applied in several regions of an account."""
    for kind, (attribute, _) in GLOBAL.items():
        for address, values in applied.every(kind).items():
            assert GOOD["region"] in values[attribute], address
    assert applied.kinds() <= GLOBAL.keys() | REGIONAL


def test_the_longest_name_fits_in_every_region(applied: Applied) -> None:
    session = boto3.Session()
    regions = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition_name=partition)
    }
    longest = max(regions, key=len)
    assert len(longest) >= len("us-isof-south-1")
    for kind, (attribute, limit) in GLOBAL.items():
        for address, values in applied.every(kind).items():
            assert values[attribute].count(GOOD["name"]) == 1, address
            name = values[attribute].replace(GOOD["name"], "n" * 24).replace(GOOD["region"], longest)
            assert len(name) <= limit, (address, name)


def redrive(queue: dict[str, Any]) -> dict[str, Any]:
    """Return a queue's redrive policy; without one, the mocked provider invents a value."""
    policy: dict[str, Any] = json.loads(queue["redrive_policy"]) if queue["redrive_policy"].startswith("{") else {}
    return policy


def test_every_queue_is_or_has_a_dead_letter_queue(applied: Applied) -> None:
    for address, queue in applied.every("aws_sqs_queue").items():
        if redrive(queue):
            assert redrive(queue)["maxReceiveCount"] >= 5, address
        else:
            assert queue["message_retention_seconds"] == 14 * 24 * 60 * 60, address


def test_every_dead_letter_queue_is_an_output(applied: Applied) -> None:
    dead = {queue["url"] for queue in applied.every("aws_sqs_queue").values() if not redrive(queue)}
    assert set(applied.outputs["dlqs"].values()) == dead


def test_subscriptions_have_a_dlq_and_their_filter(applied: Applied) -> None:
    subscription = applied.one("aws_sns_topic_subscription", "notifications")
    assert subscription["endpoint"] == SUBSCRIBER
    assert json.loads(subscription["filter_policy"]) == {"status": ["Processed"]}
    assert json.loads(subscription["redrive_policy"])["deadLetterTargetArn"].endswith(":darkroom-notifications-dlq")


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        ("aws_cloudwatch_event_bus", "kms_key_identifier"),
        ("aws_cloudwatch_log_group", "kms_key_id"),
        ("aws_lambda_function", "kms_key_arn"),
        ("aws_scheduler_schedule", "kms_key_arn"),
        ("aws_sns_topic", "kms_master_key_id"),
    ],
)
def test_the_pipelines_key_encrypts_it(applied: Applied, kind: str, attribute: str) -> None:
    for address, values in applied.every(kind).items():
        assert values[attribute] == applied.key_arn, address


def test_dead_letter_queues_work_without_the_key(applied: Applied) -> None:
    """The DLQ of `uploads` is an exception: SQS moves messages there, which stay encrypted with the key."""
    with_key = {
        address: queue["kms_master_key_id"]
        for address, queue in applied.every("aws_sqs_queue").items()
        if not queue["sqs_managed_sse_enabled"]
    }
    assert with_key == {
        "module.uploads.aws_sqs_queue.this": applied.key_arn,
        "module.uploads.aws_sqs_queue.dlq[0]": applied.key_arn,
    }


def test_lambda_drops_no_metric_at_any_log_level(applies: dict[str, Applied]) -> None:
    """Lambda takes a line without a level for INFO; the functions' own loggers drop lines below the level."""
    for name, level in (("applied", "INFO"), ("untraced", "ERROR")):
        for address, function in applies[name].every("aws_lambda_function").items():
            assert function["logging_config"][0]["application_log_level"] == "INFO", address
            assert function["environment"][0]["variables"]["LOG_LEVEL"] == level, address


def test_key_encrypts_table_and_buckets(applied: Applied) -> None:
    for address, table in applied.every("aws_dynamodb_table").items():
        assert table["server_side_encryption"] == [{"enabled": True, "kms_key_arn": applied.key_arn}], address
    encrypted = applied.every("aws_s3_bucket_server_side_encryption_configuration")
    assert len(encrypted) == len(applied.every("aws_s3_bucket"))
    for address, bucket in encrypted.items():
        (rule,) = bucket["rule"]
        (default,) = rule["apply_server_side_encryption_by_default"]
        assert default["kms_master_key_id"] == applied.key_arn, address


def test_no_bucket_is_public(applied: Applied) -> None:
    blocks = applied.every("aws_s3_bucket_public_access_block")
    assert len(blocks) == len(applied.every("aws_s3_bucket"))
    for address, block in blocks.items():
        for way in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"):
            assert block[way] is True, address


def test_batch_fails_by_message_before_redelivery(applied: Applied) -> None:
    source = applied.one("aws_lambda_event_source_mapping", "process_image")
    function = applied.one("aws_lambda_function", "process_image")
    queues = applied.every("aws_sqs_queue")
    assert source["function_response_types"] == ["ReportBatchItemFailures"]
    assert source["scaling_config"][0]["maximum_concurrency"] == 10
    assert queues["module.uploads.aws_sqs_queue.this"]["visibility_timeout_seconds"] >= 6 * function["timeout"]


@pytest.mark.parametrize(("name", "on"), [("applied", True), ("untraced", False)])
def test_tracing_applies_to_all_parts(applies: dict[str, Applied], name: str, on: bool) -> None:
    made, mode = applies[name], "Active" if on else "PassThrough"
    for address, function in made.every("aws_lambda_function").items():
        assert function["tracing_config"] == [{"mode": mode}], address
    for address, machine in made.every("aws_sfn_state_machine").items():
        assert machine["tracing_configuration"] == [{"enabled": on}], address
    for address, topic in made.every("aws_sns_topic").items():
        assert topic["tracing_config"] == mode, address
    for address, stage in made.every("aws_api_gateway_stage").items():
        assert stage["xray_tracing_enabled"] is on, address


def test_an_image_is_looked_for_in_every_log(applied: Applied) -> None:
    query = applied.every("aws_cloudwatch_query_definition")[
        'module.observability[0].aws_cloudwatch_query_definition.this["everything about one image"]'
    ]
    functions = {f"/aws/lambda/{one['function_name']}" for one in applied.every("aws_lambda_function").values()}
    assert set(query["log_group_names"]) == {*functions, "/aws/vendedlogs/states/darkroom-record-image"}


def test_messages_that_fail_one_by_one_are_an_alarm(applied: Applied) -> None:
    """By the metric that the function writes."""
    alarm = applied.every("aws_cloudwatch_metric_alarm")[
        'module.observability[0].aws_cloudwatch_metric_alarm.this["failing"]'
    ]
    assert (alarm["namespace"], alarm["metric_name"]) == ("darkroom", "MessagesFailed")
    assert alarm["dimensions"] == {"service": "process_image"}


def test_logs_end(applied: Applied) -> None:
    for address, group in applied.every("aws_cloudwatch_log_group").items():
        assert group["retention_in_days"] == 365, address


def test_images_are_not_destroyed_unasked(applied: Applied) -> None:
    for address, bucket in applied.every("aws_s3_bucket").items():
        assert bucket["force_destroy"] is False, address
    for address, table in applied.every("aws_dynamodb_table").items():
        assert table["deletion_protection_enabled"] is True, address


def test_both_buses_can_be_replayed(applied: Applied) -> None:
    archives = applied.every("aws_cloudwatch_event_archive")
    assert {address.split(".")[1] for address in archives} == {"bus", "uploads_rules"}
    assert {archive["retention_days"] for archive in archives.values()} == {30}


def test_function_accepts_its_environment(applied: Applied) -> None:
    """The environment that Terraform writes, read by the code that reads it in Lambda."""
    (environment,) = applied.one("aws_lambda_function", "process_image")["environment"]
    settings = Settings.from_environment(environment["variables"])
    assert [variant.name for variant in settings.variants] == ["thumbnail", "web", "web-modern"]
    assert settings.event_bus == applied.outputs["bus"]["name"]
    assert settings.processed_bucket == applied.outputs["processed_bucket"]
    # The defaults, as in scripts/render.py.
    assert settings.limits == Limits()
    assert settings.budget == Budget()


def test_reconcile_accepts_its_environment(applied: Applied) -> None:
    """By its environment, and by the schedule's input."""
    (environment,) = applied.one("aws_lambda_function", "reconcile[0]")["environment"]
    settings = ReconcileSettings.from_environment(environment["variables"])
    assert settings.metrics_namespace == "darkroom"
    assert settings.originals_bucket == applied.outputs["originals_bucket"]
    assert settings.processed_bucket == applied.outputs["processed_bucket"]
    assert settings.table == applied.outputs["table"]
    assert settings.uploads_queue_url == applied.outputs["uploads_queue_url"]
    assert environment["variables"].keys() == {field.name.upper() for field in fields(ReconcileSettings)}
    (schedule,) = applied.every("aws_scheduler_schedule").values()
    assert json.loads(schedule["target"][0]["input"]) == {"repair": True, "grace_minutes": 60}


def test_environment_has_room_for_more_variants(applied: Applied) -> None:
    """Lambda allows 4 KB for all of it."""
    (environment,) = applied.one("aws_lambda_function", "process_image")["environment"]
    size = sum(len(name) + len(value) for name, value in environment["variables"].items())
    assert size < 2048


def test_the_workflow_is_rendered_as_json(applied: Applied) -> None:
    definition = json.loads(applied.one("aws_sfn_state_machine", "record_image")["definition"])
    assert definition["StartAt"] in definition["States"]
    keep = definition["States"]["KeepEvent"]["Parameters"]
    assert keep["QueueUrl"] == applied.outputs["dlqs"]["record_image"]


def test_dashboard_uses_the_prices_of_the_file(applied: Applied) -> None:
    (dashboard,) = applied.every("aws_cloudwatch_dashboard").values()
    (estimate,) = (
        widget["properties"]["metrics"]
        for widget in json.loads(dashboard["dashboard_body"])["widgets"]
        if str(widget["properties"].get("title", "")).startswith("Estimate")
    )
    shown = {
        metric[0]["label"]: float(metric[0]["expression"].rpartition(" * ")[2])
        for metric in estimate
        if len(metric) == 1
    }
    usd, variants = load_prices().usd, 3
    assert shown == pytest.approx(
        {
            "DynamoDB: writes": usd("dynamodb", "write_unit"),
            "DynamoDB: writes to by_owner": usd("dynamodb", "write_unit"),
            "DynamoDB: writes to by_sequencer": usd("dynamodb", "write_unit"),
            "EventBridge": usd("eventbridge", "opt_in_event") + usd("eventbridge", "custom_event"),
            "Lambda: calls": usd("lambda", "request"),
            "Lambda: compute": usd("lambda", "gb_second_arm64") / 1000,
            "Logs": usd("cloudwatch", "log_gb") / 10**9,
            "S3: originals and derivatives": (1 + variants) * usd("s3", "put") + READS * usd("s3", "get"),
            "SNS": usd("sns", "publish"),
            "SQS": 3 * usd("sqs", "request"),
            "Step Functions": usd("step_functions", "express_request")
            + 0.1 / 16 * usd("step_functions", "express_gb_second"),
        },
        rel=0.01,  # CloudWatch is given twelve digits
    )


def test_every_alarm_is_in_the_runbook_and_no_other(applied: Applied) -> None:
    made = {
        alarm["alarm_name"].removeprefix("darkroom-") for alarm in applied.every("aws_cloudwatch_metric_alarm").values()
    }
    page = (ROOT / "docs" / "runbook.md").read_text()
    table = page.split("## Alarms", 1)[1].split("\n## ", 1)[0]
    expected = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`([\w-]+)`", row)
    }
    # Made where `expected_every` is set, and where the workflow is a STANDARD one.
    assert expected == made | {"silence", "throttled-record_image"}


def test_operators_get_budget_and_findings(applied: Applied) -> None:
    (budget,) = applied.every("aws_budgets_budget").values()
    assert (float(budget["limit_amount"]), budget["limit_unit"], budget["time_unit"]) == (50, "USD", "MONTHLY")
    assert {one["name"]: one["values"] for one in budget["cost_filter"]} == {
        "Region": ["eu-central-1"],
        "TagKeyValue": ["user:Application$darkroom"],
    }
    thresholds = {(one["notification_type"], one["threshold"]) for one in budget["notification"]}
    assert thresholds == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    assert all(one["subscriber_sns_topic_arns"] == [OPERATORS] for one in budget["notification"])
    targets = applied.every("aws_cloudwatch_event_target")
    findings = {target["rule"]: target["arn"] for at, target in targets.items() if at.startswith("module.findings")}
    assert findings == dict.fromkeys(("darkroom-findings-config", "darkroom-findings-security-hub"), OPERATORS)


CONTRACTS = {
    f"{contract.name}-{version}": (contract.examples["example.json"], schema)
    for contract in load().values()
    for version, schema in contract.versions.items()
}


def changed(value: Any) -> Iterator[Any]:
    """Yield each result of one change of a JSON value: without a field, with another kind or another constant."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: other for key, other in value.items() if key != name}
            for other in changed(inner):
                yield {**value, name: other}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for other in changed(inner):
                yield [*value[:number], other, *value[number + 1 :]]
    yield from (None, True, -1, 2, "", "Other", [], {})


@pytest.mark.parametrize("name", CONTRACTS)
def test_registry_has_equivalent_contracts(applied: Applied, name: str) -> None:
    made = {schema["name"]: schema for schema in applied.every("aws_schemas_schema").values()}
    assert set(made) == set(CONTRACTS)
    event, contract = CONTRACTS[name]
    assert (made[name]["type"], made[name]["description"]) == ("JSONSchemaDraft4", contract["description"])
    content = json.loads(made[name]["content"])
    assert content["$schema"] == Draft4Validator.META_SCHEMA["id"]
    Draft4Validator.check_schema(content)
    registered, ours = Draft4Validator(content), Draft202012Validator(contract)
    assert registered.is_valid(event)
    assert not registered.is_valid({**event, "source": "other.source"})
    details = list(changed(event["detail"]))
    assert len([detail for detail in details if not ours.is_valid(detail)]) > 50
    for detail in details:
        assert registered.is_valid({**event, "detail": detail}) == ours.is_valid(detail), detail
