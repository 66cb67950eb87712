# Alarms for a queue and its DLQ: subscribers of the topic get a notification of failed and of late messages.

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

module "worker" {
  source = "../.."

  name             = "example-worker"
  alarm_topic_arns = [aws_sns_topic.operators.arn]

  queues = { jobs = { name = aws_sqs_queue.jobs.name, max_age = 600 } }

  dead_letter_queues = {
    jobs = { name = aws_sqs_queue.jobs_dlq.name, advice = "Look at the worker's log of that time, then redrive the queue." }
  }

  costs = {
    queue = {
      namespace  = "AWS/SQS"
      metric     = "NumberOfMessagesReceived"
      dimensions = { QueueName = aws_sqs_queue.jobs.name }
      usd        = 0.0000004
    }
  }
}

resource "aws_sns_topic" "operators" {
  name              = "example-operators"
  kms_master_key_id = aws_kms_key.operators.arn
}

# An alarm cannot publish to a topic encrypted with the AWS managed key, because its policy does not allow CloudWatch.
resource "aws_kms_key" "operators" {
  description         = "Encrypts the topic of the example's alarms"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { AWS = data.aws_caller_identity.current.account_id }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
    ]
  })
}

resource "aws_sqs_queue" "jobs" {
  name                    = "example-watched-jobs"
  sqs_managed_sse_enabled = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.jobs_dlq.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "jobs_dlq" {
  name                    = "example-watched-jobs-dlq"
  sqs_managed_sse_enabled = true
}

output "dashboard" {
  description = "Name of the dashboard in CloudWatch."
  value       = module.worker.dashboard_name
}
