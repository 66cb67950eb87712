# Alarms on one metric each. All of them are silent while nothing happens: no data is no trouble.
locals {
  # Unless it says otherwise: a sum over five minutes (`statistic`, `minutes`) of one or more (`at`).
  alarms = merge(
    {
      for key, queue in var.dead_letter_queues : "dlq-${key}" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = queue.name }
        statistic  = "Maximum"
        minutes    = 1
        advice     = "Something rests in ${queue.name}. ${queue.advice}"
      }
    },
    {
      for key, queue in var.queues : "age-${key}" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateAgeOfOldestMessage"
        dimensions = { QueueName = queue.name }
        statistic  = "Maximum"
        at         = queue.max_age
        advice     = "A message in ${queue.name} has waited for ${queue.max_age} s. If its consumer fails, its own alarm says so; if it is merely busy, let more of it run at once."
      }
    },
    {
      for key, function in var.functions : "errors-${key}" => {
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = { FunctionName = function.name }
        at         = function.errors
        advice     = "Calls of ${function.name} fail as a whole: it cannot start, runs out of time or memory, or raises. Its log says which; a deployment just before is the usual cause."
      }
    },
    {
      for key, function in var.functions : "throttles-${key}" => {
        namespace  = "AWS/Lambda"
        metric     = "Throttles"
        dimensions = { FunctionName = function.name }
        advice     = "Lambda refused calls of ${function.name}: the account's concurrency, or the function's own, is used up. Ask for a higher quota, or cap what calls it."
      }
    },
    {
      for key, function in var.functions : "slow-${key}" => {
        namespace  = "AWS/Lambda"
        metric     = "Duration"
        dimensions = { FunctionName = function.name }
        statistic  = "Maximum"
        at         = function.slow * function.timeout * 1000
        advice     = "A call of ${function.name} took more than ${floor(function.slow * 100)} % of its ${function.timeout} s. Give it more memory, and with it more CPU, or smaller batches, before calls are cut off."
      }
    },
    {
      for key, workflow in var.workflows : "failed-${key}" => {
        namespace  = "AWS/States"
        metric     = "ExecutionsFailed"
        dimensions = { StateMachineArn = workflow.arn }
        advice     = "Executions of ${reverse(split(":", workflow.arn))[0]} fail. Its log names the state and the cause; what failed can be started again from its dead-letter queue."
      }
    },
    {
      for key, workflow in var.workflows : "timed-out-${key}" => {
        namespace  = "AWS/States"
        metric     = "ExecutionsTimedOut"
        dimensions = { StateMachineArn = workflow.arn }
        advice     = "Executions of ${reverse(split(":", workflow.arn))[0]} run out of time: a service that it calls does not answer. AWS's health dashboard knows first."
      }
    },
    # It counts throttled state transitions, which EXPRESS does not limit.
    {
      for key, workflow in var.workflows : "throttled-${key}" => {
        namespace  = "AWS/States"
        metric     = "ExecutionThrottled"
        dimensions = { StateMachineArn = workflow.arn }
        advice     = "Executions of ${reverse(split(":", workflow.arn))[0]} are throttled, and late. If it lasts, ask for a higher quota of state transitions."
      } if workflow.type == "STANDARD"
    },
    # Step Functions counts refused starts by account and region, not by state machine.
    {
      for metric in length(var.workflows) > 0 ? ["ThrottledEvents"] : [] : "throttled-starts" => {
        namespace  = "AWS/States"
        metric     = metric
        dimensions = { APIName = "StartExecution" }
        advice     = "Step Functions refuses to start executions in this account and region: StartExecution is over its quota. EventBridge tries again for a day, then the event goes to the rule's dead-letter queue. If it lasts, ask for a higher quota."
      }
    },
    {
      for key, rule in var.rules : "undelivered-${key}" => {
        namespace  = "AWS/Events"
        metric     = "FailedInvocations"
        dimensions = local.rule_dimensions[key]
        advice     = "Rule ${rule.name} cannot reach a target: its permission, the key's policy or the target itself has gone. The events are in the rule's dead-letter queue."
      }
    },
    {
      for key, rule in var.rules : "lost-${key}" => {
        namespace  = "AWS/Events"
        metric     = "InvocationsFailedToBeSentToDlq"
        dimensions = local.rule_dimensions[key]
        advice     = "Events of rule ${rule.name} reached neither target nor dead-letter queue: they are lost but for the archive. Mend the policies of queue and key, then replay the archive from here on."
      }
    },
    {
      for key, topic in var.topics : "unnotified-${key}" => {
        namespace  = "AWS/SNS"
        metric     = "NumberOfNotificationsFailed"
        dimensions = { TopicName = topic }
        advice     = "A subscriber of ${topic} did not take a notification. It is in the topic's dead-letter queue; ask the subscriber's owner."
      }
    },
    {
      for key, table in var.tables : "table-${key}" => {
        namespace  = "AWS/DynamoDB"
        metric     = "WriteThrottleEvents"
        dimensions = { TableName = table.name }
        advice     = "Table ${table.name} throttles writes: one partition is written to more than a thousand times a second, or the account's quota is used up. Callers try again; if it lasts, spread the keys or ask for a higher quota."
      }
    },
    # The table's own metric does not count its indexes, and an index that throttles holds up the table's writes.
    merge([
      for key, table in var.tables : {
        for index in table.indexes : "table-${key}-${index}" => {
          namespace  = "AWS/DynamoDB"
          metric     = "WriteThrottleEvents"
          dimensions = { TableName = table.name, GlobalSecondaryIndexName = index }
          advice     = "Index ${index} of table ${table.name} throttles, and with it writes to the table: one key of the index is written to more than a thousand times a second. Callers try again; if it lasts, spread the index's keys."
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
        advice     = "${var.outcomes.failed_at} or more were counted as ${failed} within five minutes: they fail one by one and come again, while the calls that they are in succeed. The log says why; mend it before they have failed too often and rest in a dead-letter queue."
      }
    },
    {
      for key, api in var.apis : "api-${key}" => {
        namespace  = "AWS/ApiGateway"
        metric     = "5XXError"
        dimensions = { ApiName = api.api, Stage = api.stage }
        advice     = "API ${api.api} fails. Its access log has the service's own status and the reason."
      }
    },
  )

  # A rule on the default bus is known by its name alone.
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

# Of a handful, one bad one says nothing: below `bad_share_of` the share is taken for none.
resource "aws_cloudwatch_metric_alarm" "bad_share" {
  count = var.outcomes == null ? 0 : 1

  alarm_name          = "${var.name}-bad-share"
  alarm_description   = "More than ${var.outcomes.bad_share * 100} % within an hour ended as ${var.outcomes.bad}. The reasons are on the dashboard and in the saved queries: one sender that went wrong, or a limit that is too narrow."
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
  alarm_description   = "Nothing was finished in ${var.outcomes.expected_every} hours. Either nobody sends anything, or it does not arrive: begin at the top of the dashboard."
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
