from __future__ import annotations

from tests.tools.aws_checks.planting import Mistake, replaced, set_to

OBSERVED = "module.observability[0]"
DASHBOARD = f"{OBSERVED}.aws_cloudwatch_dashboard.this"


def alarm(key: str) -> str:
    return f'{OBSERVED}.aws_cloudwatch_metric_alarm.this["{key}"]'


def query(name: str) -> str:
    return f'{OBSERVED}.aws_cloudwatch_query_definition.this["{name}"]'


MISTAKES = {
    "an alarm on state transitions of an EXPRESS workflow": Mistake(
        "metrics",
        alarm("failed-record_image"),
        ["metric_name"],
        set_to("ExecutionThrottled"),
        "is written if type is STANDARD, and module.record_image.aws_sfn_state_machine.this has EXPRESS",
    ),
    "a metric that AWS does not have": Mistake(
        "metrics",
        alarm("lost-image-processed"),
        ["metric_name"],
        set_to("InvocationsFailedToBeSentToDLQ"),
        "AWS/Events has no metric InvocationsFailedToBeSentToDLQ: is InvocationsFailedToBeSentToDlq meant?",
    ),
    "a namespace that nothing writes into": Mistake(
        "metrics",
        alarm("age-uploads"),
        ["namespace"],
        set_to("AWS/Sqs"),
        "nothing writes metrics into the namespace AWS/Sqs",
    ),
    "a rule of the default bus by the bus's name": Mistake(
        "metrics",
        alarm("rule-object-created"),
        ["dimensions"],
        set_to({"EventBusName": "default", "RuleName": "darkroom-uploads-object-created"}),
        "no aws_cloudwatch_event_bus has the name default",
    ),
    "a rule of another bus by its own name alone": Mistake(
        "metrics",
        alarm("rule-image-processed"),
        ["dimensions"],
        set_to({"RuleName": "image-processed"}),
        "metrics by RuleName alone are those of rules on the default bus",
    ),
    "a metric of DynamoDB without the dimension that it has": Mistake(
        "metrics",
        alarm("table-images"),
        ["metric_name"],
        set_to("ThrottledRequests"),
        "AWS/DynamoDB ThrottledRequests has {Operation, TableName}, not {TableName}",
    ),
    "an index that the table does not have": Mistake(
        "metrics",
        alarm("table-images-by_owner"),
        ["dimensions"],
        set_to({"TableName": "darkroom-images", "GlobalSecondaryIndexName": "by_owners"}),
        "has no global_secondary_index by_owners: is by_owner meant?",
    ),
    "a queue that is not there": Mistake(
        "metrics",
        alarm("dlq-uploads"),
        ["dimensions"],
        set_to({"QueueName": "darkroom-upload-dlq"}),
        "no aws_sqs_queue has the name darkroom-upload-dlq",
    ),
    "starts counted by an API that does not start": Mistake(
        "metrics",
        alarm("throttled-starts"),
        ["dimensions"],
        set_to({"APIName": "StartExecutions"}),
        "APIName is StartExecutions: is StartExecution meant?",
    ),
    "a metric that the function does not write": Mistake(
        "metrics",
        alarm("failing"),
        ["metric_name"],
        set_to("MessageFailed"),
        "no function writes darkroom MessageFailed: is MessagesFailed meant?",
    ),
    "a metric that another function writes": Mistake(
        "metrics",
        alarm("found-differences"),
        ["dimensions"],
        set_to({"service": "process_image"}),
        "no function writes darkroom DifferencesFound",
    ),
    "a metric of the function by a dimension that it does not write": Mistake(
        "metrics",
        f"{OBSERVED}.aws_cloudwatch_metric_alarm.silence[0]",
        ["dimensions"],
        set_to({"service": "process_image", "reason": "too_large"}),
        "darkroom ImageProcessed is written by {service}, not {reason, service}",
    ),
    "an expression with a metric that is not there": Mistake(
        "metrics",
        f"{OBSERVED}.aws_cloudwatch_metric_alarm.bad_share[0]",
        ["metric_query", 0, "expression"],
        replaced("FILL(bad, 0)", "FILL(rejected, 0)"),
        "names rejected, but no metric has that id",
    ),
    "a function whose log filter drops its metrics": Mistake(
        "metrics",
        "module.process_image.aws_lambda_function.this",
        ["logging_config", 0, "application_log_level"],
        set_to("WARN"),
        "application_log_level WARN drops the function's metrics",
    ),
    "a widget's metric that AWS does not have": Mistake(
        "metrics",
        DASHBOARD,
        ["dashboard_body"],
        replaced('"ConcurrentExecutions"', '"ConcurrentInvocations"'),
        "AWS/Lambda has no metric ConcurrentInvocations",
    ),
    "a widget's search by a dimension that the function does not write": Mistake(
        "metrics",
        DASHBOARD,
        ["dashboard_body"],
        replaced(",reason,service}", ",code,service}"),
        "is written by {reason, service} and {service}, not {code, service}",
    ),
    "a widget's expression with a metric that is not there": Mistake(
        "metrics",
        DASHBOARD,
        ["dashboard_body"],
        replaced("FILL(m0, 0)", "FILL(m99, 0)"),
        "names m99, but no metric has that id",
    ),
    "a widget that shows an alarm that is not there": Mistake(
        "metrics",
        DASHBOARD,
        ["dashboard_body"],
        replaced(":alarm:darkroom-age-uploads", ":alarm:darkroom-old-uploads"),
        ":alarm:darkroom-old-uploads, which a widget shows",
    ),
    "a query of a log group that is not there": Mistake(
        "metrics",
        query("failed messages"),
        ["log_group_names"],
        set_to(["/aws/lambda/darkroom-process_image"]),
        "no aws_cloudwatch_log_group has the name /aws/lambda/darkroom-process_image",
    ),
    "a query of a field that nothing writes": Mistake(
        "metrics",
        query("rejections by reason"),
        ["query_string"],
        replaced("by reason", "by reasons"),
        "nothing writes the field reasons into these logs: is reason meant?",
    ),
    "a query of lines that Lambda's log filter drops": Mistake(
        "metrics",
        "module.process_image.aws_lambda_function.this",
        ["logging_config", 0, "system_log_level"],
        set_to("WARN"),
        "the field record.metrics.initDurationMs is dropped",
    ),
}
