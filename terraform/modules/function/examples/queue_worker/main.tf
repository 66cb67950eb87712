# A function that reads jobs from a queue, {"text": "to be or not to be"}, and sends results to another, {"words": 6}.
# An invalid job is received five times without blocking the others, and is then kept unchanged in the DLQ.

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

data "aws_service_principal" "logs" {
  service_name = "logs"
}

module "queue_worker" {
  source = "../.."

  name    = "example-queue-worker"
  handler = "queue_worker.handler.handler"
  key_arn = aws_kms_key.jobs.arn

  artifact = {
    path          = "${path.module}/queue_worker.zip"
    sha256        = "8666694e3058f8c34a88e1fa457a59a80db7f96999151010af324b166ff573e2"
    build_command = "zip -r queue_worker.zip queue_worker"
  }

  environment   = { RESULTS_URL = aws_sqs_queue.results.url }
  event_sources = { jobs = { arn = aws_sqs_queue.jobs.arn, max_concurrency = 5 } }
  permissions   = { results = data.aws_iam_policy_document.results.json }
}

data "aws_iam_policy_document" "results" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.results.arn]
  }

  statement {
    actions   = ["kms:GenerateDataKey"]
    resources = [aws_kms_key.jobs.arn]
  }
}

resource "aws_kms_key" "jobs" {
  description             = "Jobs and results of the function"
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
        Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = module.queue_worker.log_group_arn } }
      },
    ]
  })
}

resource "aws_sqs_queue" "jobs" {
  name                       = "example-jobs"
  kms_master_key_id          = aws_kms_key.jobs.arn
  visibility_timeout_seconds = 180

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dlq.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "dlq" {
  name                      = "example-jobs-dlq"
  kms_master_key_id         = aws_kms_key.jobs.arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue" "results" {
  name              = "example-results"
  kms_master_key_id = aws_kms_key.jobs.arn
}

output "dlq_url" {
  description = "URL of the DLQ with the jobs that failed five times."
  value       = aws_sqs_queue.dlq.url
}

output "jobs_url" {
  description = "URL of the queue to send jobs to, such as {\"text\": \"to be or not to be\"}."
  value       = aws_sqs_queue.jobs.url
}

output "results_url" {
  description = "URL of the queue of the results."
  value       = aws_sqs_queue.results.url
}
