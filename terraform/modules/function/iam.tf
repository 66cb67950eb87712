resource "aws_iam_role" "this" {
  # Roles are global, functions regional: the region keeps two deployments of one name apart.
  name                 = "${var.name}-${local.region}"
  description          = "What function ${var.name} may do"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn

  tags = var.tags

  lifecycle {
    precondition {
      condition     = length("${var.name}-${local.region}") <= 64
      error_message = "The role's name ${var.name}-${local.region} has ${length("${var.name}-${local.region}")} characters, IAM allows 64: shorten `name`."
    }
  }
}

# Without a condition on the source: a role can be passed only to functions of its own account, so there is no deputy
# to confuse, and Lambda documents no `aws:SourceArn` of its own when it assumes one.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "permissions" {
  for_each = var.permissions

  name   = each.key
  role   = aws_iam_role.this.name
  policy = each.value
}

# What Lambda itself needs for this configuration, and no more: the managed policies allow every log group.
resource "aws_iam_role_policy" "runtime" {
  name   = "runtime"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.runtime.json
}

data "aws_iam_policy_document" "runtime" {
  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"]
  }

  statement {
    sid       = "Decrypt"
    actions   = concat(["kms:Decrypt"], var.async == null ? [] : ["kms:GenerateDataKey"])
    resources = [var.key_arn]
  }

  dynamic "statement" {
    for_each = length(var.event_sources) > 0 ? [values(var.event_sources)[*].arn] : []

    content {
      sid       = "Receive"
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = var.async[*]

    content {
      sid = "ReportFailure"
      actions = [
        {
          events = "events:PutEvents"
          lambda = "lambda:InvokeFunction"
          sns    = "sns:Publish"
          sqs    = "sqs:SendMessage"
        }[split(":", statement.value.failure_destination_arn)[2]]
      ]
      resources = [statement.value.failure_destination_arn]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? ["*"] : []

    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = [statement.value] # X-Ray has no ARNs for traces
    }
  }

  dynamic "statement" {
    for_each = var.vpc == null ? [] : ["*"]

    content {
      sid = "Network"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = [statement.value] # the describing actions have no ARNs, and Lambda refuses a role that may not delete any
    }
  }

  # The network interfaces are Lambda's business: the function's own code gets none of the above.
  dynamic "statement" {
    for_each = var.vpc == null ? [] : ["*"]

    content {
      sid    = "NetworkNotByCode"
      effect = "Deny"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = [statement.value]

      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = [local.arn]
      }
    }
  }
}
