# A workflow that sends every order above a limit to the queue `approvals`.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_service_principal" "logs" {
  service_name = "logs"
}

module "order_workflow" {
  source = "../.."

  name    = "example-order-workflow"
  key_arn = aws_kms_key.orders.arn

  definition = jsonencode({
    StartAt = "Large?"
    States = {
      "Large?" = {
        Type    = "Choice"
        Choices = [{ Variable = "$.amount", NumericGreaterThan = 1000, Next = "Ask" }]
        Default = "Accepted"
      }
      Ask = {
        Type           = "Task"
        Resource       = "arn:${data.aws_partition.current.partition}:states:::sqs:sendMessage"
        Parameters     = { QueueUrl = aws_sqs_queue.approvals.url, "MessageBody.$" = "$" }
        TimeoutSeconds = 5
        Retry          = [{ ErrorEquals = ["States.ALL"], IntervalSeconds = 1, MaxAttempts = 3, BackoffRate = 2 }]
        End            = true
      }
      Accepted = { Type = "Succeed" }
    }
  })

  permissions = { approvals = data.aws_iam_policy_document.approvals.json }
}

data "aws_iam_policy_document" "approvals" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.approvals.arn]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.orders.arn]
  }
}

resource "aws_kms_key" "orders" {
  description             = "Orders and their workflow"
  deletion_window_in_days = 7
  enable_key_rotation     = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = data.aws_service_principal.logs.id }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*"
        Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = module.order_workflow.log_group_arn } }
      },
      {
        Sid       = "LogDelivery"
        Effect    = "Allow"
        Principal = { Service = "delivery.logs.amazonaws.com" }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = { StringEquals = { "kms:EncryptionContext:SourceArn" = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:*" } }
      },
    ]
  })
}

resource "aws_sqs_queue" "approvals" {
  name              = "example-approvals"
  kms_master_key_id = aws_kms_key.orders.arn
}

output "approvals_url" {
  description = "URL of the queue of the orders that need an approval."
  value       = aws_sqs_queue.approvals.url
}

output "arn" {
  description = "ARN of the state machine. Start executions with an input such as {\"amount\": 1200}."
  value       = module.order_workflow.arn
}
