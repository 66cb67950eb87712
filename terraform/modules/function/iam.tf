resource "aws_iam_role" "this" {
  # Roles are global, functions are regional: with the region in its name, a role is unique to its deployment.
  name                 = "${var.name}-${local.region}"
  description          = "Permissions of function ${var.name}"
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

# No condition on the source: a role can only be passed to functions of its own account, so there is no confused
# deputy, and Lambda documents no `aws:SourceArn` for assuming a role.
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

# Permissions that Lambda needs for this configuration. The managed policies would allow every log group.
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
      resources = [statement.value] # the Describe actions have no ARNs, and Lambda requires permission to delete any interface
    }
  }

  # Only Lambda manages the network interfaces. The function's code must not use these permissions.
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
