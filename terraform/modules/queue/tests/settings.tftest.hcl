# Settings of the resources, with a mocked provider. Offline.

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
}

variables {
  name = "orders"
}

run "queue_is_encrypted_and_has_a_dlq" {
  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dlq[0].sqs_managed_sse_enabled
    error_message = "Without a key, SQS's own key must encrypt both queues."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.this.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-central-1:123456789012:orders-dlq"
      maxReceiveCount     = 5
    }
    error_message = "The fifth failure must move a message to the DLQ: ${aws_sqs_queue.this.redrive_policy}"
  }

  assert {
    condition     = aws_sqs_queue.dlq[0].name == "orders-dlq" && aws_sqs_queue.dlq[0].message_retention_seconds == 1209600
    error_message = "The DLQ must keep messages for 14 days, the maximum of SQS."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:123456789012:orders"]
    }
    error_message = "Only this queue may use the DLQ: ${aws_sqs_queue.dlq[0].redrive_allow_policy}"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_allow_policy) == { redrivePermission = "denyAll" }
    error_message = "By default no queue may use this one as its DLQ."
  }

  assert {
    condition     = aws_sqs_queue.this.receive_wait_time_seconds == 20 && aws_sqs_queue.this.visibility_timeout_seconds == 30
    error_message = "Long polling and a visibility timeout of 30 s must be the defaults."
  }
}

run "outputs_name_both_queues" {
  assert {
    condition     = output.name == "orders" && output.dlq_name == "orders-dlq"
    error_message = "The names must be those of the queues."
  }

  assert {
    condition     = output.arn == "arn:aws:sqs:eu-central-1:123456789012:orders" && output.static_arn == output.arn
    error_message = "The ARN must be built from partition, region, account and name: ${output.arn}"
  }

  assert {
    condition     = output.dlq_arn == "arn:aws:sqs:eu-central-1:123456789012:orders-dlq"
    error_message = "The DLQ's ARN must be built in the same way: ${output.dlq_arn}"
  }

  assert {
    condition     = output.url == aws_sqs_queue.this.url && output.dlq_url == aws_sqs_queue.dlq[0].url
    error_message = "The URLs must be those of the resources."
  }
}

run "a_key_encrypts_both_queues" {
  variables {
    key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/orders"
    key_reuse_period = 600
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dlq[0]] : queue.kms_master_key_id == var.key_arn && queue.kms_data_key_reuse_period_seconds == 600])
    error_message = "The key must encrypt both queues, with a reuse period of 600 s."
  }
}

run "consumer_sets_the_visibility_timeout" {
  variables {
    consumer = { function_timeout = 20, batch_window = 5 }
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 125
    error_message = "The visibility timeout must be 6 × 20 s + 5 s, not ${aws_sqs_queue.this.visibility_timeout_seconds} s."
  }
}

run "longer_visibility_timeout_is_accepted" {
  variables {
    consumer           = { function_timeout = 20 }
    visibility_timeout = 120
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 120
    error_message = "A visibility timeout of 120 s must be accepted for a function timeout of 20 s."
  }
}

run "shorter_visibility_timeout_is_refused" {
  command = plan

  variables {
    consumer           = { function_timeout = 20 }
    visibility_timeout = 119
  }

  expect_failures = [aws_sqs_queue.this]
}

run "dlq_with_shorter_retention_is_refused" {
  command = plan

  variables {
    dlq               = { retention = 345600 }
    message_retention = 345601
  }

  expect_failures = [aws_sqs_queue.this]
}

run "tags_are_on_both_queues" {
  variables {
    tags = { team = "shop" }
  }

  assert {
    condition     = aws_sqs_queue.this.tags == tomap({ team = "shop" }) && aws_sqs_queue.dlq[0].tags == aws_sqs_queue.this.tags
    error_message = "Both queues must have the tags."
  }
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    name               = "orders.fifo"
    dlq                = { max_receive_count = 0, retention = 59 }
    key_reuse_period   = 59
    message_retention  = 1209601
    policy_documents   = ["not JSON"]
    receive_wait       = 21
    redrive_sources    = [for number in range(11) : "arn:aws:sqs:eu-central-1:123456789012:source-${number}"]
    visibility_timeout = 43201
  }

  expect_failures = [
    var.name,
    var.dlq,
    var.key_reuse_period,
    var.message_retention,
    var.policy_documents,
    var.receive_wait,
    var.redrive_sources,
    var.visibility_timeout,
  ]
}

run "sender_without_a_source_is_refused" {
  command = plan

  variables {
    senders = { anybody = { service = "events.amazonaws.com", source_arns = [] } }
  }

  expect_failures = [var.senders]
}

run "sender_with_an_invalid_name_is_refused" {
  command = plan

  variables {
    senders = { "Order placed" = { service = "events.amazonaws.com", source_arns = ["arn:aws:events:eu-central-1:123456789012:rule/a"] } }
  }

  expect_failures = [var.senders]
}

run "a_key_alias_is_refused" {
  command = plan

  variables {
    key_arn = "alias/aws/sqs"
  }

  expect_failures = [var.key_arn]
}

run "redrive_source_must_be_a_queue" {
  command = plan

  variables {
    redrive_sources = ["arn:aws:sns:eu-central-1:123456789012:orders"]
  }

  expect_failures = [var.redrive_sources]
}
