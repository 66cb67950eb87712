# A queue without a DLQ, which is a DLQ itself. Each run starts with the resources of the previous one.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { redrive_policy = "" } # SQS's answer for a queue without a DLQ
  }
}

variables {
  name = "orders"
}

run "queue_without_a_dlq_can_be_one" {
  variables {
    dlq             = null
    redrive_sources = ["arn:aws:sqs:eu-central-1:123456789012:invoices"]
  }

  assert {
    condition     = length(aws_sqs_queue.dlq) == 0 && aws_sqs_queue.this.redrive_policy == ""
    error_message = "There must be no DLQ."
  }

  assert {
    condition     = output.dlq_arn == null && output.dlq_name == null && output.dlq_url == null
    error_message = "The outputs must be null without a DLQ."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.this.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:123456789012:invoices"]
    }
    error_message = "The given source must be able to use this queue as its DLQ: ${aws_sqs_queue.this.redrive_allow_policy}"
  }
}

run "dlq_can_be_added_later" {
  assert {
    condition     = length(aws_sqs_queue.dlq) == 1 && strcontains(aws_sqs_queue.this.redrive_policy, aws_sqs_queue.dlq[0].name)
    error_message = "The queue must use its new DLQ: ${aws_sqs_queue.this.redrive_policy}"
  }
}

run "dlq_in_use_is_not_deleted" {
  command = plan

  variables {
    dlq = null
  }

  expect_failures = [aws_sqs_queue.this]
}
