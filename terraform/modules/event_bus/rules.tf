locals {
  rule_names = { for key, _ in var.rules : key => "${local.rule_prefix}${key}" }
  rule_arns  = { for key, _ in var.rules : key => "${local.rule_arn_prefix}${key}" }
  targets = merge([
    for rule, settings in var.rules : {
      for id, target in settings.targets : "${rule}.${id}" => merge(target, { rule = rule, id = id })
    }
  ]...)
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.rules

  name           = local.rule_names[each.key]
  description    = each.value.description
  event_bus_name = local.created ? aws_cloudwatch_event_bus.this[0].name : var.name
  event_pattern  = each.value.pattern
  state          = each.value.enabled ? "ENABLED" : "DISABLED"

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.targets

  rule           = aws_cloudwatch_event_rule.this[each.value.rule].name
  event_bus_name = aws_cloudwatch_event_rule.this[each.value.rule].event_bus_name
  target_id      = each.value.id
  arn            = each.value.arn
  role_arn       = length(each.value.role_actions) > 0 ? aws_iam_role.target[each.key].arn : each.value.role_arn
  input          = each.value.input
  input_path     = each.value.input_path

  dead_letter_config {
    arn = coalesce(each.value.dlq_arn, aws_sqs_queue.dlq.arn)
  }

  dynamic "input_transformer" {
    for_each = each.value.input_transformer[*]

    content {
      input_paths    = input_transformer.value.paths
      input_template = input_transformer.value.template
    }
  }

  retry_policy {
    maximum_event_age_in_seconds = each.value.retry.max_age_seconds
    maximum_retry_attempts       = each.value.retry.max_attempts
  }

  dynamic "sqs_target" {
    for_each = each.value.message_group_id[*]

    content {
      message_group_id = sqs_target.value
    }
  }

  # A role without its policy would send the first events to the dead-letter queue.
  depends_on = [aws_iam_role_policy.target]
}
