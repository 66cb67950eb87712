resource "aws_iam_role" "this" {
  # Roles are global, state machines are regional: with the region in its name, a role is unique to its deployment.
  name                 = "${var.name}-${local.region}"
  description          = "Permissions of state machine ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn

  tags = var.tags

  lifecycle {
    precondition {
      condition     = length("${var.name}-${local.region}") <= 64
      error_message = "The role's name ${var.name}-${local.region} has ${length("${var.name}-${local.region}")} characters, but IAM allows 64: shorten `name`."
    }
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role_policy" "permissions" {
  for_each = var.permissions

  name   = each.key
  role   = aws_iam_role.this.name
  policy = each.value
}

# Permissions that Step Functions needs for this configuration.
resource "aws_iam_role_policy" "runtime" {
  name   = "runtime"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.runtime.json
}

data "aws_iam_policy_document" "runtime" {
  statement {
    sid = "DeliverLogs"
    actions = [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ]
    resources = ["*"] # log deliveries have no ARNs
  }

  statement {
    sid       = "EncryptExecutions"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:states:stateMachineArn"
      values   = [local.arn]
    }
  }

  # An encrypted state machine encrypts its logs; their delivery decrypts them.
  statement {
    sid       = "EncryptLogs"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.key_arn]

    condition {
      test     = "StringLike"
      variable = "kms:EncryptionContext:SourceArn"
      values   = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:*"]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? ["*"] : []

    content {
      sid = "Trace"
      actions = [
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
      ]
      resources = [statement.value] # X-Ray has no ARNs for traces
    }
  }
}
