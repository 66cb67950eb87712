# Permissions of the role, as the real provider renders them. Offline: a plan of new resources makes no request.

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

variables {
  name    = "resize"
  handler = "queue_worker.handler.handler"
  key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  artifact = {
    path   = "examples/queue_worker/queue_worker.zip"
    sha256 = filesha256("examples/queue_worker/queue_worker.zip")
  }
}

run "only_lambda_may_assume_the_role" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
    error_message = "Others than Lambda may assume the role: ${aws_iam_role.this.assume_role_policy}"
  }
  assert {
    condition     = aws_iam_role.this.name == "resize-eu-west-1"
    error_message = "The role's name must contain the region, because roles are global."
  }
}

run "default_role_may_log_decrypt_and_trace" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.runtime.policy).Statement == [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
        Resource = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/resize:*"
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
      },
      {
        Sid      = "Trace"
        Effect   = "Allow"
        Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        Resource = "*"
      },
    ]
    error_message = "The role has other permissions: ${aws_iam_role_policy.runtime.policy}"
  }
  assert {
    condition     = length(aws_iam_role_policy.permissions) == 0
    error_message = "The code has permissions by default."
  }
}

run "role_without_tracing_may_not_trace" {
  command = plan

  variables {
    tracing = false
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.runtime.policy).Statement[*].Sid == ["Log", "Decrypt"]
    error_message = "The role has other permissions: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "role_may_receive_from_event_sources" {
  command = plan

  variables {
    event_sources = {
      jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs" }
      more = { arn = "arn:aws:sqs:eu-west-1:123456789012:more" }
    }
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : s if s.Sid == "Receive"] == [{
      Sid      = "Receive"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      Resource = ["arn:aws:sqs:eu-west-1:123456789012:more", "arn:aws:sqs:eu-west-1:123456789012:jobs"]
    }]
    error_message = "The role may not read its queues, or may read others: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "role_may_report_failures_to_a_queue" {
  command = plan

  variables {
    async = { failure_destination_arn = "arn:aws:sqs:eu-west-1:123456789012:failed" }
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : s if s.Sid == "ReportFailure" || s.Sid == "Decrypt"] == [
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
      },
      {
        Sid      = "ReportFailure"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:aws:sqs:eu-west-1:123456789012:failed"
      },
    ]
    error_message = "The role may not send to the encrypted queue of failures: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "role_may_report_failures_to_a_bus" {
  command = plan

  variables {
    async = { failure_destination_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/failures" }
  }

  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : s if s.Sid == "ReportFailure"]).Action == "events:PutEvents"
    error_message = "The role may not put events on the bus of failures: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "only_lambda_manages_network_interfaces" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-0123456789abcdef0"], security_group_ids = ["sg-0123456789abcdef0"] }
  }

  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : (
        toset(s.Action) == toset([
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ])
      ) if startswith(s.Sid, "Network")
    ])
    error_message = "Network interfaces need exactly these actions: ${aws_iam_role_policy.runtime.policy}"
  }
  assert {
    condition = (
      one([for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : s if s.Sid == "Network"]).Effect == "Allow" &&
      one([for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : s if s.Sid == "NetworkNotByCode"]).Effect == "Deny" &&
      one([for s in jsondecode(aws_iam_role_policy.runtime.policy).Statement : s if s.Sid == "NetworkNotByCode"]).Condition == {
        ArnEquals = { "lambda:SourceFunctionArn" = "arn:aws:lambda:eu-west-1:123456789012:function:resize" }
      }
    )
    error_message = "The function's code may manage network interfaces: ${aws_iam_role_policy.runtime.policy}"
  }
}

run "each_permission_is_an_inline_policy" {
  command = plan

  variables {
    permissions = {
      read  = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::uploads/*\"}]}"
      write = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::results/*\"}]}"
    }
  }

  assert {
    condition     = { for key, policy in aws_iam_role_policy.permissions : key => one(jsondecode(policy.policy).Statement).Action } == { read = "s3:GetObject", write = "s3:PutObject" }
    error_message = "The code has other permissions than the given ones."
  }
}
