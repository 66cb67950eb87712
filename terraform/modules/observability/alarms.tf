# Alarms on one metric each. Missing data does not raise them.
locals {
  # Default: a sum over five minutes (`statistic`, `minutes`) of at least one (`at`).
  alarms = merge(
    {
      for key, queue in var.dead_letter_queues : "dlq-${key}" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = queue.name }
        statistic  = "Maximum"
        minutes    = 1
        advice     = "${queue.name} contains messages. ${queue.advice}"
      }
    },
    {
      for key, queue in var.queues : "age-${key}" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateAgeOfOldestMessage"
        dimensions = { QueueName = queue.name }
        statistic  = "Maximum"
        at         = queue.max_age
        advice     = "A message in ${queue.name} has waited for ${queue.max_age} s. Check the consumer's alarms: if it fails, fix it; if it is only busy, raise its concurrency."
      }
    },
    {
      for key, function in var.functions : "errors-${key}" => {
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = { FunctionName = function.name }
        at         = function.errors
        advice     = "Invocations of ${function.name} fail: it cannot start, exceeds its timeout or memory, or raises an error. Check its log; a recent deployment is the usual cause."
      }
    },
    {
      for key, function in var.functions : "throttles-${key}" => {
        namespace  = "AWS/Lambda"
        metric     = "Throttles"
        dimensions = { FunctionName = function.name }
        advice     = "Lambda throttled ${function.name}: the concurrency of the account or the function is used up. Request a higher quota, or limit its callers."
      }
    },
    {
      for key, function in var.functions : "slow-${key}" => {
        namespace  = "AWS/Lambda"
        metric     = "Duration"
        dimensions = { FunctionName = function.name }
        statistic  = "Maximum"
        at         = function.slow * function.timeout * 1000
        advice     = "An invocation of ${function.name} took more than ${floor(function.slow * 100)} % of its timeout of ${function.timeout} s. Raise its memory, which also raises its CPU share, or reduce its batches."
      }
    },
    {
      for key, workflow in var.workflows : "failed-${key}" => {
        namespace  = "AWS/States"
        metric     = "ExecutionsFailed"
        dimensions = { StateMachineArn = workflow.arn }
        advice     = "Executions of ${reverse(split(":", workflow.arn))[0]} fail. Its log has the state and the cause. After a fix, redrive the events from its DLQ."
      }
    },
    {
      for key, workflow in var.workflows : "timed-out-${key}" => {
        namespace  = "AWS/States"
        metric     = "ExecutionsTimedOut"
        dimensions = { StateMachineArn = workflow.arn }
        advice     = "Executions of ${reverse(split(":", workflow.arn))[0]} exceed their timeout: a service that it calls does not answer. Check AWS's health dashboard."
      }
    },
    # Counts throttled state transitions, which EXPRESS does not limit.
    {
      for key, workflow in var.workflows : "throttled-${key}" => {
        namespace  = "AWS/States"
        metric     = "ExecutionThrottled"
        dimensions = { StateMachineArn = workflow.arn }
        advice     = "Executions of ${reverse(split(":", workflow.arn))[0]} are throttled and delayed. If it continues, request a higher quota of state transitions."
      } if workflow.type == "STANDARD"
    },
    # Step Functions counts throttled starts per account and region, not per state machine.
    {
      for metric in length(var.workflows) > 0 ? ["ThrottledEvents"] : [] : "throttled-starts" => {
        namespace  = "AWS/States"
        metric     = metric
        dimensions = { APIName = "StartExecution" }
        advice     = "Step Functions throttles starts of executions in this account and region: StartExecution exceeds its quota. EventBridge retries for a day, then the event goes to the rule's DLQ. If it continues, request a higher quota."
      }
    },
    {
      for key, rule in var.rules : "rule-${key}" => {
        namespace  = "AWS/Events"
        metric     = "FailedInvocations"
        dimensions = local.rule_dimensions[key]
        advice     = "Rule ${rule.name} cannot deliver to a target. Check the rule's permission, the key's policy and the target. The events are in the rule's DLQ."
      }
    },
    {
      for key, rule in var.rules : "lost-${key}" => {
        namespace  = "AWS/Events"
        metric     = "InvocationsFailedToBeSentToDlq"
        dimensions = local.rule_dimensions[key]
        advice     = "Events of rule ${rule.name} reached neither target nor DLQ: only the archive has them. Fix the policies of queue and key, then replay the archive from this time."
      }
    },
    {
      for key, topic in var.topics : "unnotified-${key}" => {
        namespace  = "AWS/SNS"
        metric     = "NumberOfNotificationsFailed"
        dimensions = { TopicName = topic }
        advice     = "A subscriber of ${topic} did not accept a notification. It is in the topic's DLQ. Contact the subscriber's owner, then redrive."
      }
    },
    {
      for key, table in var.tables : "table-${key}" => {
        namespace  = "AWS/DynamoDB"
        metric     = "WriteThrottleEvents"
        dimensions = { TableName = table.name }
        advice     = "Table ${table.name} throttles writes: a partition gets more than a thousand writes a second, or the account's quota is used up. Callers retry. If it continues, spread the keys or request a higher quota."
      }
    },
    # The table's metric does not include its indexes, and an index that throttles delays the table's writes.
    merge([
      for key, table in var.tables : {
        for index in table.indexes : "table-${key}-${index}" => {
          namespace  = "AWS/DynamoDB"
          metric     = "WriteThrottleEvents"
          dimensions = { TableName = table.name, GlobalSecondaryIndexName = index }
          advice     = "Index ${index} of table ${table.name} throttles writes to the table: a key of the index gets more than a thousand writes a second. Callers retry. If it continues, spread the index's keys."
        }
      }
    ]...),
    { for key, count in var.found : "found-${key}" => count },
    {
      for failed in compact(var.outcomes[*].failed) : "failing" => {
        namespace  = var.outcomes.namespace
        metric     = failed
        dimensions = var.outcomes.dimensions
        at         = var.outcomes.failed_at
        advice     = "${failed} counted ${var.outcomes.failed_at} or more within five minutes: single messages fail and are retried, while their invocations succeed. Fix the error in the log before the messages reach the DLQ."
      }
    },
    {
      for key, api in var.apis : "api-${key}" => {
        namespace  = "AWS/ApiGateway"
        metric     = "5XXError"
        dimensions = { ApiName = api.api, Stage = api.stage }
        advice     = "API ${api.api} returns 5xx errors. Check its access log for the service's status and the reason."
      }
    },
  )

  # The metrics of a rule on the default bus have no bus name.
  rule_dimensions = {
    for key, rule in var.rules : key => merge({ RuleName = rule.name }, rule.bus == "default" ? {} : { EventBusName = rule.bus })
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.advice
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, "Sum")
  period              = try(each.value.minutes, 5) * 60
  evaluation_periods  = 1
  threshold           = try(each.value.at, 1)
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  tags = var.tags
}

# With few results the share is not significant: below `bad_share_of` results it counts as 0.
resource "aws_cloudwatch_metric_alarm" "bad_share" {
  count = var.outcomes == null ? 0 : 1

  alarm_name          = "${var.name}-bad-share"
  alarm_description   = "More than ${var.outcomes.bad_share * 100} % within an hour ended as ${var.outcomes.bad}. Check the reasons on the dashboard and in the saved queries: usual causes are a faulty sender or a limit that is too low."
  evaluation_periods  = 1
  threshold           = var.outcomes.bad_share
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  metric_query {
    id          = "share"
    expression  = "IF(FILL(good, 0) + FILL(bad, 0) >= ${var.outcomes.bad_share_of}, FILL(bad, 0) / (FILL(good, 0) + FILL(bad, 0)), 0)"
    label       = "Share of ${var.outcomes.bad}"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { good = var.outcomes.good, bad = var.outcomes.bad }

    content {
      id = metric_query.key

      metric {
        namespace   = var.outcomes.namespace
        metric_name = metric_query.value
        dimensions  = var.outcomes.dimensions
        period      = 3600
        stat        = "Sum"
      }
    }
  }

  tags = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  count = try(var.outcomes.expected_every, null) == null ? 0 : 1

  alarm_name          = "${var.name}-silence"
  alarm_description   = "No result within ${var.outcomes.expected_every} hours. Either no work is sent, or it does not arrive: start at the top of the dashboard."
  namespace           = var.outcomes.namespace
  metric_name         = var.outcomes.good
  dimensions          = var.outcomes.dimensions
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.outcomes.expected_every
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  tags = var.tags
}
