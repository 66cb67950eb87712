data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Dashboards and budgets belong to the account, alarms to the region: with the region, their names are unique.
  global_name = "${var.name}-${local.region}"

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
}

# Rows of the dashboard: is it working, how long does it take, what fails, what does it cost.
locals {
  region = data.aws_region.current.id

  alarm_arns = merge(
    { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.arn },
    { for alarm in aws_cloudwatch_metric_alarm.bad_share : "bad-share" => alarm.arn },
    { for alarm in aws_cloudwatch_metric_alarm.silence : "silence" => alarm.arn },
  )

  outcome_metrics = [
    for name in try(concat([var.outcomes.good, var.outcomes.bad], var.outcomes.others, compact([var.outcomes.failed])), []) :
    { namespace = var.outcomes.namespace, metric = name, dimensions = var.outcomes.dimensions, label = name }
  ]

  graphs = [
    {
      heading = "Is it working?"
      graphs = [
        { title = "Finished, per minute", statistic = "Sum", period = 60, stacked = true, metrics = local.outcome_metrics },
        {
          title   = "Waiting: age of the oldest message, s", statistic = "Maximum", period = 60, stacked = false
          metrics = [for key, queue in var.queues : { namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = queue.name }, label = key }]
        },
        {
          title   = "Running at once", statistic = "Maximum", period = 60, stacked = false
          metrics = [for key, function in var.functions : { namespace = "AWS/Lambda", metric = "ConcurrentExecutions", dimensions = { FunctionName = function.name }, label = key }]
        },
      ]
    },
    {
      heading = "How long does it take?"
      graphs = concat(
        [
          for percentile in ["p50", "p95", "p99"] :
          { title = "Start to end, ms (${percentile} of each part)", statistic = percentile, period = 300, stacked = true, metrics = var.latencies }
        ],
        [
          {
            title   = "Time by stage, ms (average)", statistic = "Average", period = 300, stacked = true
            metrics = [for name in try(var.stages.metrics, []) : { namespace = var.stages.namespace, metric = name, dimensions = var.stages.dimensions, label = name }]
          },
          {
            title   = "Functions: p99 of the duration, ms", statistic = "p99", period = 300, stacked = false
            metrics = [for key, function in var.functions : { namespace = "AWS/Lambda", metric = "Duration", dimensions = { FunctionName = function.name }, label = key }]
          },
        ],
      )
    },
    {
      heading = "What fails?"
      graphs = [
        {
          title   = "Messages in DLQs", statistic = "Maximum", period = 60, stacked = true
          metrics = [for key, queue in var.dead_letter_queues : { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = queue.name }, label = key }]
        },
        {
          title = "Failed or refused", statistic = "Sum", period = 60, stacked = true
          metrics = concat(
            flatten([for key, function in var.functions : [for metric in ["Errors", "Throttles"] : { namespace = "AWS/Lambda", metric = metric, dimensions = { FunctionName = function.name }, label = "${key}: ${metric}" }]]),
            flatten([for key, workflow in var.workflows : [for metric in concat(["ExecutionsFailed", "ExecutionsTimedOut"], workflow.type == "STANDARD" ? ["ExecutionThrottled"] : []) : { namespace = "AWS/States", metric = metric, dimensions = { StateMachineArn = workflow.arn }, label = "${key}: ${metric}" }]]),
            flatten([for key, rule in var.rules : [for metric in ["FailedInvocations", "RetryInvocationAttempts"] : { namespace = "AWS/Events", metric = metric, dimensions = local.rule_dimensions[key], label = "${key}: ${metric}" }]]),
            [for key, topic in var.topics : { namespace = "AWS/SNS", metric = "NumberOfNotificationsFailed", dimensions = { TopicName = topic }, label = "${key}: NumberOfNotificationsFailed" }],
          )
        },
        {
          title   = "API: errors", statistic = "Sum", period = 60, stacked = false
          metrics = flatten([for key, api in var.apis : [for metric in ["4XXError", "5XXError"] : { namespace = "AWS/ApiGateway", metric = metric, dimensions = { ApiName = api.api, Stage = api.stage }, label = "${key}: ${metric}" }]])
        },
      ]
    },
  ]

  # The metric of a reason exists once it occurs, so a search finds them.
  by_reason = [
    for dimension in compact(var.outcomes[*].bad_by) : {
      type   = "metric"
      width  = 24
      height = 6
      properties = {
        title   = "${var.outcomes.bad} by ${dimension}"
        region  = local.region
        view    = "timeSeries"
        stacked = true
        period  = 300
        yAxis   = { left = { min = 0 } }
        metrics = [[{ expression = "SEARCH('{\"${var.outcomes.namespace}\",${join(",", concat([dimension], keys(var.outcomes.dimensions)))}} MetricName=\"${var.outcomes.bad}\"', 'Sum', 300)", label = "$${PROP('Dim.${dimension}')}", id = "found" }]]
      }
    }
  ]

  cost_keys = sort(keys(var.costs))

  # Graphs without metrics and rows without graphs are omitted.
  widgets = concat(
    [{
      type       = "alarm"
      width      = 24
      height     = 4
      properties = { title = "Alarms", alarms = values(local.alarm_arns) }
    }],
    flatten([
      for row in local.graphs : concat(
        [for text in ["## ${row.heading}"] : { type = "text", width = 24, height = 1, properties = { markdown = text } } if anytrue([for graph in row.graphs : length(graph.metrics) > 0])],
        [
          for graph in row.graphs : {
            type   = "metric"
            width  = 8
            height = 6
            properties = {
              title   = graph.title
              region  = local.region
              view    = "timeSeries"
              stacked = graph.stacked
              stat    = graph.statistic
              period  = graph.period
              yAxis   = { left = { min = 0 } }
              metrics = [
                for metric in graph.metrics :
                concat([metric.namespace, metric.metric], flatten([for name, value in metric.dimensions : [name, value]]), [{ label = metric.label }])
              ]
            }
          } if length(graph.metrics) > 0
        ],
      )
    ]),
    local.by_reason,
    [for widget in [
      { type = "text", width = 24, height = 1, properties = { markdown = "## What does it cost?" } },
      {
        type   = "metric"
        width  = 24
        height = 6
        properties = {
          title   = "Estimate, USD an hour"
          region  = local.region
          view    = "timeSeries"
          stacked = true
          period  = 3600
          yAxis   = { left = { min = 0 } }
          metrics = concat(
            [for i, key in local.cost_keys : [{ expression = format("FILL(m%d, 0) * %.12f", i, var.costs[key].usd), label = key, id = "c${i}" }]],
            [
              for i, key in local.cost_keys : concat(
                [var.costs[key].namespace, var.costs[key].metric],
                flatten([for name, value in var.costs[key].dimensions : [name, value]]),
                [{ id = "m${i}", stat = var.costs[key].statistic, visible = false }],
              )
            ],
          )
        }
      },
    ] : widget if length(var.costs) > 0],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.global_name
  # Widgets without positions are arranged from left to right, then down.
  dashboard_body = jsonencode({ widgets = local.widgets })
}
