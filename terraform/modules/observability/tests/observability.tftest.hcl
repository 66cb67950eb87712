# Resources of the module, with a mocked provider. Offline.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }

  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:any" }
  }
}

variables {
  name = "shop"
}

run "no_inputs_give_no_alarms_and_graphs" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) + length(aws_cloudwatch_metric_alarm.bad_share) + length(aws_cloudwatch_metric_alarm.silence) == 0
    error_message = "There must be no alarm without inputs."
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.type] == ["alarm"]
    error_message = "There must be no heading without a graph, and no graph without a metric: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }
}

run "each_input_has_its_alarms" {
  variables {
    alarm_topic_arns   = ["arn:aws:sns:eu-central-1:123456789012:operators"]
    apis               = { shop = { api = "shop-api", stage = "v1" } }
    dead_letter_queues = { jobs = { name = "jobs-dlq", advice = "Redrive it." } }
    found              = { gaps = { namespace = "shop", metric = "Gaps", dimensions = {}, advice = "A part is missing. Find it." } }
    functions          = { worker = { name = "worker", timeout = 60 } }
    queues             = { jobs = { name = "jobs", max_age = 600 } }
    rules              = { ordered = { name = "ordered", bus = "shop" }, put = { name = "put" } }
    tables             = { orders = { name = "orders", indexes = ["by_customer"] } }
    topics             = { news = "news" }
    workflows = {
      bill = { arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:bill", type = "STANDARD" }
      mail = { arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:mail", type = "EXPRESS" }
    }
    outcomes = { namespace = "shop", dimensions = { service = "worker" }, good = "Done", bad = "Refused", failed = "Retried", failed_at = 3, expected_every = 6 }
  }

  assert {
    condition = sort(keys(output.alarm_arns)) == sort([
      "age-jobs", "api-shop", "bad-share", "dlq-jobs", "errors-worker", "failed-bill", "failed-mail", "failing", "found-gaps", "lost-ordered", "lost-put", "silence",
      "slow-worker", "table-orders", "table-orders-by_customer", "throttled-bill", "throttled-starts", "throttles-worker", "timed-out-bill", "timed-out-mail", "rule-ordered",
      "rule-put", "unnotified-news",
    ])
    error_message = "The alarms must be exactly these: ${join(", ", keys(output.alarm_arns))}"
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.this), aws_cloudwatch_metric_alarm.bad_share, aws_cloudwatch_metric_alarm.silence) :
      tolist(alarm.alarm_actions) == tolist(["arn:aws:sns:eu-central-1:123456789012:operators"]) && tolist(alarm.ok_actions) == tolist(alarm.alarm_actions) && length(split(". ", alarm.alarm_description)) >= 2
    ])
    error_message = "Each alarm must notify the topic when it starts and ends, with the problem and what to do."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dlq-jobs"].threshold == 1 && aws_cloudwatch_metric_alarm.this["dlq-jobs"].period == 60 && endswith(aws_cloudwatch_metric_alarm.this["dlq-jobs"].alarm_description, "Redrive it.")
    error_message = "One message in a DLQ must raise an alarm within a minute, with the given advice."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["failing"].metric_name == "Retried" && tomap(aws_cloudwatch_metric_alarm.this["failing"].dimensions) == tomap({ service = "worker" }) && aws_cloudwatch_metric_alarm.this["failing"].statistic == "Sum" && aws_cloudwatch_metric_alarm.this["failing"].threshold == 3
    error_message = "Three retried failures within five minutes must raise an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["throttled-starts"].metric_name == "ThrottledEvents" && tomap(aws_cloudwatch_metric_alarm.this["throttled-starts"].dimensions) == tomap({ APIName = "StartExecution" })
    error_message = "The metric of throttled starts must be that of the account, by API."
  }

  assert {
    condition     = tomap(aws_cloudwatch_metric_alarm.this["table-orders-by_customer"].dimensions) == tomap({ TableName = "orders", GlobalSecondaryIndexName = "by_customer" })
    error_message = "An index must have its own metric."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow-worker"].threshold == 48000
    error_message = "An invocation must be slow at 80 % of its timeout, in milliseconds: ${aws_cloudwatch_metric_alarm.this["slow-worker"].threshold}"
  }

  assert {
    condition     = tomap(aws_cloudwatch_metric_alarm.this["lost-put"].dimensions) == tomap({ RuleName = "put" }) && tomap(aws_cloudwatch_metric_alarm.this["lost-ordered"].dimensions) == tomap({ EventBusName = "shop", RuleName = "ordered" })
    error_message = "The metric of a rule must have the bus's name, unless it is the default bus."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.silence[0].treat_missing_data == "breaching" && alltrue([for alarm in values(aws_cloudwatch_metric_alarm.this) : alarm.treat_missing_data == "notBreaching"])
    error_message = "Missing data must raise an alarm only with `expected_every`."
  }
}

run "dashboard_has_its_rows_in_order" {
  variables {
    dead_letter_queues = { jobs = { name = "jobs-dlq" } }
    functions          = { worker = { name = "worker", timeout = 60 } }
    latencies          = [{ label = "worker", namespace = "AWS/Lambda", metric = "Duration", dimensions = { FunctionName = "worker" } }]
    outcomes           = { namespace = "shop", dimensions = { service = "worker" }, good = "Done", bad = "Refused", bad_by = "reason", others = ["Dropped"], failed = "Retried" }
    stages             = { namespace = "shop", dimensions = { service = "worker" }, metrics = ["Fetch", "Store"] }

    costs = {
      compute = { namespace = "AWS/Lambda", metric = "Duration", dimensions = { FunctionName = "worker" }, usd = 0.00000001 }
      calls   = { namespace = "AWS/Lambda", metric = "Invocations", dimensions = { FunctionName = "worker" }, usd = 0.0000002 }
    }
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.markdown if widget.type == "text"] == ["## Is it working?", "## How long does it take?", "## What fails?", "## What does it cost?"]
    error_message = "The dashboard must have four headings in this order: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.metrics if try(widget.properties.title, "") == "Finished, per minute"] == [[
      for name in ["Done", "Refused", "Dropped", "Retried"] : ["shop", name, "service", "worker", { label = name }]
    ]]
    error_message = "Outcomes must be drawn as metrics with their dimensions: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.metrics[0][0].expression if try(widget.properties.title, "") == "Refused by reason"] == ["SEARCH('{\"shop\",reason,service} MetricName=\"Refused\"', 'Sum', 300)"]
    error_message = "The graph of reasons must be a search: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.stat if widget.type == "metric" && startswith(try(widget.properties.title, ""), "Start to end")] == ["p50", "p95", "p99"]
    error_message = "Latencies must be drawn as p50, p95 and p99."
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [for metric in widget.properties.metrics : metric[0].expression if length(metric) == 1] if try(widget.properties.title, "") == "Estimate, USD an hour"] == [["FILL(m0, 0) * 0.000000200000", "FILL(m1, 0) * 0.000000010000"]]
    error_message = "Costs must be metrics times prices: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }
}

run "queries_are_saved_under_the_name" {
  variables {
    queries = { "one order" = { log_groups = ["/aws/lambda/worker"], query = "filter order_id = 'ORDER'" } }
  }

  assert {
    condition     = aws_cloudwatch_query_definition.this["one order"].name == "shop/one order" && aws_cloudwatch_query_definition.this["one order"].log_group_names == tolist(["/aws/lambda/worker"])
    error_message = "A saved query must be in a folder with the module's name."
  }
}

run "invalid_thresholds_fail_at_plan" {
  command = plan

  variables {
    functions = { worker = { name = "worker", timeout = 60, slow = 2 } }
    outcomes  = { namespace = "shop", dimensions = {}, good = "Done", bad = "Refused", bad_share = 20, failed_at = 0, expected_every = 48 }
  }

  expect_failures = [var.functions, var.outcomes]
}

run "arns_of_other_services_fail_at_plan" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sqs:eu-central-1:123456789012:operators"]
    workflows        = { bill = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:bill", type = "EXPRESS" } }
  }

  expect_failures = [var.alarm_topic_arns, var.workflows]
}

run "budget_and_registry_are_off_by_default" {
  command = plan

  assert {
    condition     = output.budget_name == null && output.registry_name == null && keys(output.publishers) == ["alarms"]
    error_message = "Budget and registry must be off by default."
  }
}

run "budget_counts_tagged_costs_and_notifies" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:operators"]
    budget           = { usd = 12.5, tag = { key = "team", value = "shop" }, spent = [50], forecast = [] }
  }

  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "12.5" && { for one in aws_budgets_budget.this[0].cost_filter : one.name => one.values } == { Region = tolist(["eu-central-1"]), TagKeyValue = tolist(["user:team$shop"]) }
    error_message = "The budget must count the costs of the tag: ${jsonencode(aws_budgets_budget.this[0].cost_filter)}"
  }

  assert {
    condition     = [for one in aws_budgets_budget.this[0].notification : "${one.notification_type} ${one.threshold} ${join(",", one.subscriber_sns_topic_arns)}"] == ["ACTUAL 50 arn:aws:sns:eu-central-1:123456789012:operators"]
    error_message = "The budget must notify the topic of the given thresholds only: ${jsonencode(aws_budgets_budget.this[0].notification)}"
  }

  assert {
    condition     = output.publishers.budget == { service = "budgets.amazonaws.com", source_arns = ["arn:aws:budgets::123456789012:*"] }
    error_message = "The publishers must contain AWS Budgets, for this account: ${jsonencode(output.publishers)}"
  }
}

run "budget_needs_exactly_one_topic" {
  command = plan

  variables {
    budget = { usd = 1, tag = { key = "team", value = "shop" } }
  }

  expect_failures = [aws_budgets_budget.this]
}

run "registry_contains_the_schemas" {
  command = plan

  variables {
    schemas = { "ordered-1" = { content = jsonencode({ type = "object" }), description = "An order." } }
  }

  assert {
    condition     = output.registry_name == "shop" && aws_schemas_schema.this["ordered-1"].registry_name == "shop" && aws_schemas_schema.this["ordered-1"].type == "JSONSchemaDraft4"
    error_message = "The registry must have the module's name, and a schema of draft 4."
  }
}

run "invalid_budgets_and_schemas_fail_at_plan" {
  command = plan

  variables {
    budget  = { usd = 0, tag = { key = "team", value = "shop" }, spent = [1, 2, 3, 4, 5] }
    schemas = { "ordered 1" = { content = "[]", type = "Avro" } }
  }

  expect_failures = [var.budget, var.schemas]
}
