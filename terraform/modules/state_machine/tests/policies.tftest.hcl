# What the role may do, as the real provider renders it: offline, for a plan of new resources calls nothing,
# but for the state machine, whose definition the provider would have Step Functions validate.

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

run "step_functions_may_assume_the_role_for_this_state_machine_only" {
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
    error_message = "The role can be assumed for somebody else: ${aws_iam_role.this.assume_role_policy}"
  }
  assert {
    condition     = aws_iam_role.this.name == "ship-eu-west-1"
    error_message = "The role's name must tell the region, for roles are global."
  }
}

run "the_role_may_log_encrypt_and_trace" {
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
    error_message = "The role may do something else: ${aws_iam_role_policy.runtime.policy}"
  }
  assert {
    condition     = length(aws_iam_role_policy.permissions) == 0
    error_message = "Nobody gave the workflow permissions, and yet it has some."
  }
}

run "without_tracing_it_may_not_trace" {
  command = plan

  variables {
    tracing = false
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.runtime.policy).Statement[*].Sid == ["DeliverLogs", "EncryptExecutions", "EncryptLogs"]
    error_message = "The role may do something else: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "the_workflows_permissions_are_attached_one_by_one" {
  command = plan

  variables {
    permissions = {
      notify = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"arn:aws:sns:eu-west-1:123456789012:shipped\"}]}"
      record = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"dynamodb:UpdateItem\",\"Resource\":\"arn:aws:dynamodb:eu-west-1:123456789012:table/orders\"}]}"
    }
  }

  assert {
    condition     = { for key, policy in aws_iam_role_policy.permissions : key => one(jsondecode(policy.policy).Statement).Action } == { notify = "sns:Publish", record = "dynamodb:UpdateItem" }
    error_message = "The workflow may do something else than it was given."
  }
}
