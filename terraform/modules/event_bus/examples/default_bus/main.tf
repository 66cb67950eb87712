# A rule on the account's default bus, which gets the events of AWS services: stopped instances go to a queue.

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

module "instances" {
  source = "../.."

  name   = "default"
  prefix = "example-instances"

  rules = {
    stopped = {
      pattern = jsonencode({
        source      = ["aws.ec2"]
        detail-type = ["EC2 Instance State-change Notification"]
        detail      = { state = ["stopped"] }
      })
      targets = {
        operators = {
          arn = aws_sqs_queue.operators.arn
          input_transformer = {
            paths    = { instance = "$.detail.instance-id", time = "$.time" }
            template = "{\"text\": \"Instance <instance> stopped at <time>.\"}"
          }
          retry = { max_age_seconds = 3600 }
        }
      }
    }
  }
}

resource "aws_kms_key" "instances" {
  description             = "Notices about instances"
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
        Sid       = "RulesEncrypt"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { ArnLike = { "aws:SourceArn" = module.instances.rule_arn_pattern } }
      },
    ]
  })
}

resource "aws_sqs_queue" "operators" {
  name              = "example-operators"
  kms_master_key_id = aws_kms_key.instances.arn
  policy            = data.aws_iam_policy_document.operators.json
}

data "aws_iam_policy_document" "operators" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["*"] # this queue

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [module.instances.rule_arn_pattern]
    }
  }
}

output "dlq_url" {
  description = "URL of the DLQ with the events that could not be delivered."
  value       = module.instances.dlq_url
}
