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

run "messages_are_encrypted_traced_and_signed" {
  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == "alias/aws/sns" && aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "Without a key, AWS's keys must encrypt the topic and its DLQ."
  }

  assert {
    condition     = aws_sns_topic.this.signature_version == 2 && aws_sns_topic.this.tracing_config == "Active"
    error_message = "Messages must be signed with SHA-256, and traced."
  }
}

run "a_key_encrypts_the_topic" {
  variables {
    key_arn = "arn:aws:kms:eu-central-1:123456789012:key/orders"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.key_arn && aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "The key must encrypt the topic, and SQS's own key the DLQ."
  }
}

run "subscriptions_have_a_dlq" {
  variables {
    subscriptions = {
      refunds = {
        protocol      = "sqs"
        endpoint      = "arn:aws:sqs:eu-central-1:123456789012:refunds"
        filter_policy = "{\"status\":[\"Refunded\"]}"
        raw           = true
      }
      big = {
        protocol            = "https"
        endpoint            = "https://www.example.com/orders"
        filter_policy       = "{\"total\":[{\"numeric\":[\">\",1000]}]}"
        filter_policy_scope = "MessageBody"
      }
      archive = {
        protocol = "firehose"
        endpoint = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/orders"
        role_arn = "arn:aws:iam::123456789012:role/orders-archive"
      }
    }
  }

  assert {
    condition     = length(aws_sns_topic_subscription.this) == 3
    error_message = "Every element must become a subscription."
  }

  assert {
    condition = alltrue([
      for subscription in aws_sns_topic_subscription.this :
      jsondecode(subscription.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-central-1:123456789012:orders-dlq" }
    ])
    error_message = "Every subscription must use the topic's DLQ."
  }

  assert {
    condition     = aws_sqs_queue.dlq.name == "orders-dlq" && aws_sqs_queue.dlq.message_retention_seconds == 1209600
    error_message = "The DLQ must keep messages for 14 days, the maximum of SQS."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["refunds"].filter_policy) == { status = ["Refunded"] } && aws_sns_topic_subscription.this["refunds"].filter_policy_scope == "MessageAttributes"
    error_message = "A filter must apply to the message's attributes by default."
  }

  assert {
    condition     = aws_sns_topic_subscription.this["big"].filter_policy_scope == "MessageBody"
    error_message = "A filter with the scope MessageBody must apply to the body."
  }

  assert {
    condition     = aws_sns_topic_subscription.this["refunds"].raw_message_delivery && !aws_sns_topic_subscription.this["big"].raw_message_delivery
    error_message = "Messages must be raw only with `raw`."
  }

  assert {
    condition     = aws_sns_topic_subscription.this["archive"].subscription_role_arn == "arn:aws:iam::123456789012:role/orders-archive"
    error_message = "A subscription of Firehose must have the role."
  }
}

run "outputs_name_topic_and_dlq" {
  assert {
    condition     = output.name == "orders" && output.arn == "arn:aws:sns:eu-central-1:123456789012:orders" && output.static_arn == output.arn
    error_message = "The ARN must be built from partition, region, account and name: ${output.arn}"
  }

  assert {
    condition     = output.dlq_name == "orders-dlq" && output.dlq_arn == "arn:aws:sqs:eu-central-1:123456789012:orders-dlq" && output.dlq_url == aws_sqs_queue.dlq.url
    error_message = "The DLQ's ARN must be built in the same way: ${output.dlq_arn}"
  }
}

run "options_reach_topic_and_dlq" {
  variables {
    display_name  = "Shop"
    dlq_retention = 3600
    tags          = { team = "shop" }
    tracing       = false
  }

  assert {
    condition     = aws_sns_topic.this.display_name == "Shop" && aws_sns_topic.this.tracing_config == "PassThrough"
    error_message = "The topic must have the display name, and only forward traces."
  }

  assert {
    condition     = aws_sqs_queue.dlq.message_retention_seconds == 3600
    error_message = "The DLQ must have the given retention."
  }

  assert {
    condition     = aws_sns_topic.this.tags == tomap({ team = "shop" }) && aws_sqs_queue.dlq.tags == aws_sns_topic.this.tags
    error_message = "Both must have the tags."
  }
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    name             = "orders.fifo"
    dlq_retention    = 59
    policy_documents = ["not JSON"]
  }

  expect_failures = [
    var.name,
    var.dlq_retention,
    var.policy_documents,
  ]
}

run "publisher_without_a_source_is_refused" {
  command = plan

  variables {
    key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/orders"
    publishers = { anybody = { service = "cloudwatch.amazonaws.com", source_arns = [] } }
  }

  expect_failures = [var.publishers]
}

run "publisher_with_an_invalid_name_is_refused" {
  command = plan

  variables {
    key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/orders"
    publishers = { "Alarms!" = { service = "cloudwatch.amazonaws.com", source_arns = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a"] } }
  }

  expect_failures = [var.publishers]
}

run "eventbridge_with_a_condition_is_refused" {
  command = plan

  variables {
    key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/orders"
    publishers = { rules = { service = "events.amazonaws.com", source_arns = ["arn:aws:events:eu-central-1:123456789012:rule/orders"] } }
  }

  expect_failures = [var.publishers]
}

run "publisher_without_a_key_is_refused" {
  command = plan

  variables {
    publishers = { alarms = { service = "cloudwatch.amazonaws.com", source_arns = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a"] } }
  }

  expect_failures = [var.publishers]
}

run "a_key_alias_is_refused" {
  command = plan

  variables {
    key_arn = "alias/aws/sns"
  }

  expect_failures = [var.key_arn]
}

run "endpoint_of_another_service_is_refused" {
  command = plan

  variables {
    subscriptions = { refunds = { protocol = "sqs", endpoint = "arn:aws:lambda:eu-central-1:123456789012:function:refunds" } }
  }

  expect_failures = [var.subscriptions]
}

run "fifo_queue_is_refused" {
  command = plan

  variables {
    subscriptions = { refunds = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-central-1:123456789012:refunds.fifo" } }
  }

  expect_failures = [var.subscriptions]
}

run "unencrypted_subscription_is_refused" {
  command = plan

  variables {
    subscriptions = { page = { protocol = "http", endpoint = "http://www.example.com" } }
  }

  expect_failures = [var.subscriptions]
}

run "raw_message_by_email_is_refused" {
  command = plan

  variables {
    subscriptions = { mail = { protocol = "email", endpoint = "shop@example.com", raw = true } }
  }

  expect_failures = [var.subscriptions]
}

run "firehose_without_a_role_is_refused" {
  command = plan

  variables {
    subscriptions = { archive = { protocol = "firehose", endpoint = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/orders" } }
  }

  expect_failures = [var.subscriptions]
}

run "filter_that_is_not_json_is_refused" {
  command = plan

  variables {
    subscriptions = { mail = { protocol = "email", endpoint = "shop@example.com", filter_policy = "status = Refunded" } }
  }

  expect_failures = [var.subscriptions]
}

run "filter_with_an_unknown_scope_is_refused" {
  command = plan

  variables {
    subscriptions = { mail = { protocol = "email", endpoint = "shop@example.com", filter_policy = "{}", filter_policy_scope = "Subject" } }
  }

  expect_failures = [var.subscriptions]
}
