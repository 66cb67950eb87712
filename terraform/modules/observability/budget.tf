# AWS's actual costs of the resources with the tag, some hours late. The dashboard has an immediate, rough estimate.
resource "aws_budgets_budget" "this" {
  count = var.budget == null ? 0 : 1

  name         = local.global_name
  budget_type  = "COST"
  limit_amount = tostring(var.budget.usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = [join("$", ["user:${var.budget.tag.key}", var.budget.tag.value])]
  }

  cost_filter {
    name   = "Region"
    values = [local.region]
  }

  dynamic "notification" {
    for_each = concat(
      [for percent in var.budget.spent : { type = "ACTUAL", percent = percent }],
      [for percent in var.budget.forecast : { type = "FORECASTED", percent = percent }],
    )

    content {
      comparison_operator       = "GREATER_THAN"
      notification_type         = notification.value.type
      subscriber_sns_topic_arns = var.alarm_topic_arns
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
    }
  }

  tags = var.tags

  lifecycle {
    precondition {
      condition     = length(var.alarm_topic_arns) == 1
      error_message = "A budget's notification needs exactly one SNS topic, but alarm_topic_arns has ${length(var.alarm_topic_arns)}: name one topic, or remove `budget`."
    }
  }
}
