# The permissions boundary of the pipeline's roles: the actions that functions, workflow, rules and API need, on
# resources with the pipeline's name. No policy of a role can exceed it.

locals {
  boundary_name = "${var.name}-boundary-${var.region}"
  boundary_arn  = "arn:${local.partition}:iam::${local.account_id}:policy${local.path}${local.boundary_name}"
}

resource "aws_iam_policy" "boundary" {
  name        = local.boundary_name
  path        = local.path
  description = "Upper limit of the permissions of the roles of the pipeline ${var.name}"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "boundary" {
  statement {
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    resources = [for arn in local.services.buckets.arns : "${arn}/*"]
  }

  statement {
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = local.services.buckets.arns
  }

  statement {
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
    resources = local.services.queues.arns
  }

  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"]
    resources = flatten([for arn in local.services.tables.arns : [arn, "${arn}/index/*"]])
  }

  statement {
    actions   = ["events:PutEvents"]
    resources = ["arn:${local.partition}:events:${local.regional}:event-bus/${var.name}"]
  }

  statement {
    actions   = ["lambda:InvokeFunction", "sns:Publish", "states:StartExecution"]
    resources = concat(local.services.functions.arns, local.services.topics.arns, local.services.workflows.arns)
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.keys]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Application"
      values   = [var.name]
    }
  }

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for arn in local.services.logs.arns : "${arn}:*"]
  }

  statement {
    actions = [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
      "xray:GetSamplingRules",
      "xray:GetSamplingTargets",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ]
    resources = ["*"] # neither log deliveries nor traces have ARNs
  }
}
