from __future__ import annotations

from typing import Any

from tests.tools.aws_checks.planting import Mistake, set_to

QUEUE = "module.uploads.aws_sqs_queue.this"
BUCKET = "module.originals.aws_s3_bucket.this"
LIFECYCLE = "module.originals.aws_s3_bucket_lifecycle_configuration.this[0]"
FUNCTION = "module.process_image.aws_lambda_function.this"
TABLE = "module.images.aws_dynamodb_table.this"
TARGET = 'module.bus.aws_cloudwatch_event_target.this["image-processed.record"]'
OBSERVED = "module.observability[0]"


def value(address: str, path: list[str | int], wrong: Any, finding: str) -> Mistake:
    """Return a mistake in one value."""
    return Mistake("values", address, path, set_to(wrong), finding)


MISTAKES = {
    "a timeout above the range": value(QUEUE, ["visibility_timeout_seconds"], 43201, "maximum is 43200"),
    "a retention below the range": value(QUEUE, ["message_retention_seconds"], 59, "minimum is 60"),
    "a queue's name with a space": value(QUEUE, ["name"], "a queue", "does not match"),
    "a queue's name that is too long": value(QUEUE, ["name"], "q" * 81, "maximum is 80"),
    "a queue's name that is too long for a long name": value(
        QUEUE, ["name"], "darkroom-" + "q" * 60, "longest name and region"
    ),
    "a bucket's name with an underscore": value(BUCKET, ["bucket"], "darkroom_originals", "does not match"),
    "a bucket's name with a reserved prefix": value(BUCKET, ["bucket"], "sthree-originals", "does not match"),
    "a bucket's name with a reserved suffix": value(BUCKET, ["bucket"], "originals-an", "does not match"),
    "a bucket's name that is too long for a long region": value(
        BUCKET, ["bucket"], "darkroom-eu-central-1-" + "o" * 25, "longest name and region"
    ),
    "an invalid status": value(LIFECYCLE, ["rule", 0, "status"], "On", "takes one of"),
    "too little memory": value(FUNCTION, ["memory_size"], 127, "minimum is 128"),
    "an invalid runtime": value(FUNCTION, ["runtime"], "python2.8", "takes one of"),
    "an invalid tracing mode": value(FUNCTION, ["tracing_config", 0, "mode"], "On", "takes one of"),
    "two architectures": value(FUNCTION, ["architectures"], ["arm64", "x86_64"], "maxItems is 1"),
    "a retention that CloudWatch does not offer": value(
        "module.process_image.aws_cloudwatch_log_group.this", ["retention_in_days"], 31, "takes one of"
    ),
    "a role's name that is too long": value(
        "module.process_image.aws_iam_role.this", ["name"], "r" * 65, "maximum is 64"
    ),
    "a table's name that is too short": value(TABLE, ["name"], "im", "minimum is 3"),
    "an index's name with a space": value(TABLE, ["global_secondary_index", 0, "name"], "a b", "does not match"),
    "more retries than EventBridge makes": value(
        TARGET, ["retry_policy", 0, "maximum_retry_attempts"], 186, "maximum is 185"
    ),
    "a target's id that is too long": value(TARGET, ["target_id"], "t" * 65, "maximum is 64"),
    "an archive's name that is too long": value(
        "module.bus.aws_cloudwatch_event_archive.this[0]", ["name"], "a" * 49, "maximum is 48"
    ),
    "a workflow's name that is too long": value(
        "module.record_image.aws_sfn_state_machine.this", ["name"], "s" * 81, "maximum is 80"
    ),
    "a budget's name with a colon": value(f"{OBSERVED}.aws_budgets_budget.this[0]", ["name"], "a:b", "does not match"),
    "a dashboard's name with a dot": value(
        f"{OBSERVED}.aws_cloudwatch_dashboard.this", ["dashboard_name"], "a.b", "does not match"
    ),
    "a topic's name with a dot": value("module.notifications.aws_sns_topic.this", ["name"], "a.b", "does not match"),
    "an alias without its prefix": value("module.key.aws_kms_alias.this", ["name"], "darkroom", "does not match"),
}
