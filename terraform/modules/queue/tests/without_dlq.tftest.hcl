# A queue with no dead-letter queue, which is one itself. Each run begins with what the one before it made.

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
    defaults = { redrive_policy = "" } # what SQS says of a queue that has none
  }
}

variables {
  name = "orders"
}

run "a_queue_may_do_without_a_dlq_and_be_one_itself" {
  variables {
    dlq             = null
    redrive_sources = ["arn:aws:sqs:eu-central-1:123456789012:invoices"]
  }

  assert {
    condition     = length(aws_sqs_queue.dlq) == 0 && aws_sqs_queue.this.redrive_policy == ""
    error_message = "There must be no dead-letter queue."
  }

  assert {
    condition     = output.dlq_arn == null && output.dlq_name == null && output.dlq_url == null
    error_message = "The outputs must say so."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.this.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:123456789012:invoices"]
    }
    error_message = "The queue named must be able to use this one: ${aws_sqs_queue.this.redrive_allow_policy}"
  }
}

run "a_dlq_may_be_added_later" {
  assert {
    condition     = length(aws_sqs_queue.dlq) == 1 && strcontains(aws_sqs_queue.this.redrive_policy, aws_sqs_queue.dlq[0].name)
    error_message = "The queue must use its new dead-letter queue: ${aws_sqs_queue.this.redrive_policy}"
  }
}

run "a_dlq_that_the_queue_still_names_is_not_taken_away" {
  command = plan

  variables {
    dlq = null
  }

  expect_failures = [aws_sqs_queue.this]
}
