# The role that API Gateway writes logs with: one for all REST, HTTP and WebSocket APIs of an account and region. Apply
# this example once for each region, and only if no role is set:
#
#   aws apigateway get-account --query cloudwatchRoleArn
#
# It cannot be destroyed. AWS provider 5 would delete the role and keep it in the account's settings; provider 6 would
# remove it from the settings. In both cases all other APIs lose their logs without an error.

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = aws_iam_role.this.arn

  # API Gateway tests the role immediately.
  depends_on = [aws_iam_role_policy.logs]

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role" "this" {
  # Roles are global, the setting is regional.
  name                 = "api-gateway-logs-${var.region}"
  description          = "Allow API Gateway to write the logs of all APIs in ${var.region}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn

  lifecycle {
    prevent_destroy = true
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "logs" {
  name   = "logs"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.logs.json

  lifecycle {
    prevent_destroy = true
  }
}

# The actions of AWS's policy AmazonAPIGatewayPushToCloudWatchLogs, limited to this region.
data "aws_iam_policy_document" "logs" {
  statement {
    actions = [
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:DescribeLogStreams",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
      "logs:PutLogEvents",
    ]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:*"]
  }

  statement {
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"] # it takes no ARN
  }
}
