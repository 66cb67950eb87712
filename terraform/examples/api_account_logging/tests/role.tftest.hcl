# Permissions of API Gateway, as the real provider renders them. Offline: a plan of new resources makes no request.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_resource {
  target          = aws_iam_role.this
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/api-gateway-logs-eu-west-1" }
}

variables {
  region = "eu-west-1"
}

run "role_may_only_write_logs" {
  command = plan

  assert {
    condition     = aws_api_gateway_account.this.cloudwatch_role_arn == "arn:aws:iam::123456789012:role/api-gateway-logs-eu-west-1" && aws_iam_role.this.name == "api-gateway-logs-eu-west-1"
    error_message = "The account must have the role of its region: ${aws_iam_role.this.name}"
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal == { Service = "apigateway.amazonaws.com" }
    error_message = "Only API Gateway may assume the role: ${aws_iam_role.this.assume_role_policy}"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.logs.policy).Statement == [
      {
        Effect = "Allow"
        Action = [
          "logs:PutLogEvents",
          "logs:GetLogEvents",
          "logs:FilterLogEvents",
          "logs:DescribeLogStreams",
          "logs:CreateLogStream",
          "logs:CreateLogGroup",
        ]
        Resource = "arn:aws:logs:eu-west-1:123456789012:*"
      },
      { Effect = "Allow", Action = "logs:DescribeLogGroups", Resource = "*" },
    ]
    error_message = "API Gateway may only write logs, in this account and region: ${aws_iam_role_policy.logs.policy}"
  }
}
