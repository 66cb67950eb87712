# Permissions of the role, as the real provider renders them. Offline: a plan of new resources makes no request. The
# state machine is overridden, because the provider validates its definition with Step Functions.

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
  target = aws_sfn_state_machine.this
}

variables {
  name       = "ship"
  key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  definition = "{\"StartAt\":\"Done\",\"States\":{\"Done\":{\"Type\":\"Succeed\"}}}"
}

run "trust_is_limited_to_this_state_machine" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }]
    error_message = "The role can be assumed for another state machine: ${aws_iam_role.this.assume_role_policy}"
  }
  assert {
    condition     = aws_iam_role.this.name == "ship-eu-west-1"
    error_message = "The role's name must contain the region, because roles are global."
  }
}

run "role_may_log_encrypt_and_trace" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.runtime.policy).Statement == [
      {
        Sid    = "DeliverLogs"
        Effect = "Allow"
        Action = [
          "logs:UpdateLogDelivery",
          "logs:PutResourcePolicy",
          "logs:ListLogDeliveries",
          "logs:GetLogDelivery",
          "logs:DescribeResourcePolicies",
          "logs:DescribeLogGroups",
          "logs:DeleteLogDelivery",
          "logs:CreateLogDelivery",
        ]
        Resource = "*"
      },
      {
        Sid       = "EncryptExecutions"
        Effect    = "Allow"
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
        Condition = { StringEquals = { "kms:EncryptionContext:aws:states:stateMachineArn" = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship" } }
      },
      {
        Sid       = "EncryptLogs"
        Effect    = "Allow"
        Action    = "kms:GenerateDataKey"
        Resource  = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
        Condition = { StringLike = { "kms:EncryptionContext:SourceArn" = "arn:aws:logs:eu-west-1:123456789012:*" } }
      },
      {
        Sid      = "Trace"
        Effect   = "Allow"
        Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingTargets", "xray:GetSamplingRules"]
        Resource = "*"
      },
    ]
    error_message = "The role has other permissions: ${aws_iam_role_policy.runtime.policy}"
  }
  assert {
    condition     = length(aws_iam_role_policy.permissions) == 0
    error_message = "The workflow has permissions by default."
  }
}

run "role_without_tracing_may_not_trace" {
  command = plan

  variables {
    tracing = false
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.runtime.policy).Statement[*].Sid == ["DeliverLogs", "EncryptExecutions", "EncryptLogs"]
    error_message = "The role has other permissions: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "each_permission_is_an_inline_policy" {
  command = plan

  variables {
    permissions = {
      notify = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"arn:aws:sns:eu-west-1:123456789012:shipped\"}]}"
      record = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"dynamodb:UpdateItem\",\"Resource\":\"arn:aws:dynamodb:eu-west-1:123456789012:table/orders\"}]}"
    }
  }

  assert {
    condition     = { for key, policy in aws_iam_role_policy.permissions : key => one(jsondecode(policy.policy).Statement).Action } == { notify = "sns:Publish", record = "dynamodb:UpdateItem" }
    error_message = "The workflow has other permissions than the given ones."
  }
}
