# A queue and its dead-letter queue, watched: whoever subscribes to the topic is told what rests, and what is late.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

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
  name = "example-operators"
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
  description = "Open this dashboard in CloudWatch."
  value       = module.worker.dashboard_name
}
