data "aws_iam_policy_document" "dlq" {
  statement {
    sid       = "Undeliverable"
    actions   = ["sqs:SendMessage"]
    resources = [local.dlq_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    # The only condition that EventBridge documents for queues; the ARN contains the account. It matches the rules by
    # their common prefix, so the queue does not depend on the rules' targets.
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = concat([local.rule_arn_pattern], local.created ? [local.arn] : [])
    }
  }

  statement {
    sid       = "DenyInsecureTransport"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [local.dlq_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# Other accounts that may publish. Without a policy, only this account may.
resource "aws_cloudwatch_event_bus_policy" "this" {
  count = length(var.publishers) > 0 ? 1 : 0

  event_bus_name = aws_cloudwatch_event_bus.this[0].name
  policy         = data.aws_iam_policy_document.publishers[0].json
}

data "aws_iam_policy_document" "publishers" {
  count = length(var.publishers) > 0 ? 1 : 0

  dynamic "statement" {
    for_each = var.publishers

    content {
      sid       = "PutEvents${replace(statement.key, "/[^A-Za-z0-9]/", "")}"
      actions   = ["events:PutEvents"]
      resources = [local.arn]

      principals {
        type = "AWS"
        identifiers = statement.value.organization_id != null ? ["*"] : [
          for id in statement.value.account_ids : "arn:${local.partition}:iam::${id}:root"
        ]
      }

      dynamic "condition" {
        for_each = statement.value.organization_id[*]

        content {
          test     = "StringEquals"
          variable = "aws:PrincipalOrgID"
          values   = [condition.value]
        }
      }

      dynamic "condition" {
        for_each = length(statement.value.sources) > 0 ? [statement.value.sources] : []

        content {
          test     = "StringEquals"
          variable = "events:source"
          values   = condition.value
        }
      }
    }
  }
}

# One role for each target with `role_actions`, so a rule has only the permissions of its own target.
locals {
  role_names = {
    for key, target in local.targets : key => "${local.prefix}-${target.rule}-${target.id}-${local.region}"
    if length(target.role_actions) > 0
  }
}

resource "aws_iam_role" "target" {
  for_each = local.role_names

  name                 = each.value
  description          = "Allow rule ${local.rule_names[local.targets[each.key].rule]} of bus ${var.name} to invoke its target ${local.targets[each.key].id}"
  assume_role_policy   = data.aws_iam_policy_document.target_trust[each.key].json
  permissions_boundary = var.permissions_boundary_arn

  tags = var.tags

  lifecycle {
    precondition {
      condition     = length(each.value) <= 64
      error_message = "The role's name ${each.value} has ${length(each.value)} characters, but IAM allows 64: shorten `prefix`, or the key of the rule or the target."
    }
  }
}

resource "aws_iam_role_policy" "target" {
  for_each = local.role_names

  name   = "target"
  role   = aws_iam_role.target[each.key].name
  policy = data.aws_iam_policy_document.target[each.key].json
}

data "aws_iam_policy_document" "target_trust" {
  for_each = local.role_names

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.rule_arns[local.targets[each.key].rule]]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "target" {
  for_each = local.role_names

  statement {
    actions   = local.targets[each.key].role_actions
    resources = [local.targets[each.key].arn]
  }
}
