locals {
  rule_names = { for key, _ in var.rules : key => "${local.rule_prefix}${key}" }
  rule_arns  = { for key, _ in var.rules : key => "${local.rule_arn_prefix}${key}" }
  targets = merge([
    for rule, settings in var.rules : {
      for id, target in settings.targets : "${rule}.${id}" => merge(target, {
        account = split(":", target.arn)[4]
        id      = id
        rule    = rule
        service = split(":", target.arn)[2]
      })
    }
  ]...)

  # Resource policies of these services allow EventBridge, within the account. Every other target needs a role:
  # PutTargets answers "RoleArn is required for target"
  # (docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-iam-roles.html).
  services_with_policies = ["execute-api", "lambda", "logs", "sns", "sqs"]

  # Targets for which PutTargets requires parameters that this module does not set.
  services_with_parameters = ["appsync", "batch", "ecs", "redshift", "redshift-serverless"]
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

  # Without the role's policy, the first events would go to the DLQ.
  depends_on = [aws_iam_role_policy.target]

  lifecycle {
    precondition {
      condition     = !contains(local.services_with_parameters, each.value.service) && !can(regex("^arn:[^:]+:ssm:[^:]*:[^:]*:document/", each.value.arn))
      error_message = "Target ${each.key} (${each.value.arn}) needs parameters that this module does not set: use another target, such as a state machine that calls ${each.value.service}."
    }

    precondition {
      condition     = contains(local.services_with_policies, each.value.service) && each.value.account == local.account_id || each.value.role_arn != null || length(each.value.role_actions) > 0
      error_message = "Target ${each.key} (${each.value.arn}) has no role, but EventBridge needs one for ${contains(local.services_with_policies, each.value.service) ? "another account" : each.value.service}: set `role_actions` to the action that it needs, such as states:StartExecution or events:PutEvents, or set `role_arn`."
    }

    precondition {
      condition     = each.value.service != "logs" || each.value.role_arn == null && length(each.value.role_actions) == 0
      error_message = "Target ${each.key} (${each.value.arn}) has a role, but EventBridge uses none for log groups: remove the role, and allow events.amazonaws.com in a resource policy of CloudWatch Logs."
    }

    precondition {
      condition     = each.value.service == "sqs" ? !endswith(each.value.arn, ".fifo") || each.value.message_group_id != null : each.value.message_group_id == null
      error_message = each.value.service == "sqs" ? "Target ${each.key} (${each.value.arn}) is a FIFO queue: set `message_group_id`." : "Target ${each.key} (${each.value.arn}) is not a queue: remove `message_group_id`."
    }
  }
}
