# Invalid values fail at plan.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
}

variables {
  name    = "orders"
  key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  rules = {
    order_placed = {
      pattern = "{\"source\":[\"shop\"]}"
      targets = { billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" } }
    }
  }
}

run "name_with_a_space" {
  command = plan
  variables {
    name = "my orders"
  }
  expect_failures = [var.name]
}

run "name_that_belongs_to_aws" {
  command = plan
  variables {
    name = "aws.partner"
  }
  expect_failures = [var.name]
}

run "key_that_is_not_an_arn" {
  command = plan
  variables {
    key_arn = "alias/orders"
  }
  expect_failures = [var.key_arn]
}

run "bus_without_a_key" {
  command = plan
  variables {
    key_arn = null
  }
  expect_failures = [var.key_arn]
}

run "default_bus_with_a_key" {
  command = plan
  variables {
    name   = "default"
    prefix = "shop"
  }
  expect_failures = [var.key_arn]
}

run "default_bus_without_a_prefix" {
  command = plan
  variables {
    name    = "default"
    key_arn = null
  }
  expect_failures = [var.prefix]
}

run "prefix_with_a_slash" {
  command = plan
  variables {
    prefix = "a/b"
  }
  expect_failures = [var.prefix]
}

run "name_that_a_queue_cannot_have_without_a_prefix" {
  command = plan
  variables {
    name = "shop.orders"
  }
  expect_failures = [var.prefix]
}

run "default_bus_without_rules" {
  command = plan
  variables {
    name    = "default"
    key_arn = null
    prefix  = "shop"
    rules   = {}
  }
  expect_failures = [var.rules]
}

run "publishers_of_the_default_bus" {
  command = plan
  variables {
    name       = "default"
    key_arn    = null
    prefix     = "shop"
    publishers = { partners = { account_ids = ["210987654321"] } }
  }
  expect_failures = [var.publishers]
}

run "publisher_without_an_account" {
  command = plan
  variables {
    publishers = { partner = {} }
  }
  expect_failures = [var.publishers]
}

run "publisher_with_account_and_organization" {
  command = plan
  variables {
    publishers = { both = { account_ids = ["210987654321"], organization_id = "o-abcdefghij" } }
  }
  expect_failures = [var.publishers]
}

run "publisher_with_a_short_account_id" {
  command = plan
  variables {
    publishers = { partners = { account_ids = ["2109876543"] } }
  }
  expect_failures = [var.publishers]
}

run "archive_pattern_that_is_not_json" {
  command = plan
  variables {
    archive = { pattern = "source = shop" }
  }
  expect_failures = [var.archive]
}

run "archive_for_half_a_day" {
  command = plan
  variables {
    archive = { retention_days = 0.5 }
  }
  expect_failures = [var.archive]
}

run "archive_name_that_is_too_long" {
  command = plan
  variables {
    prefix  = "a-prefix-that-is-as-long-as-it-may-ever-be-48-ch"
    archive = {}
  }
  expect_failures = [aws_cloudwatch_event_archive.this]
}

run "pattern_that_is_not_json" {
  command = plan
  variables {
    rules = { broken = { pattern = "source = shop", targets = { billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" } } } }
  }
  expect_failures = [var.rules]
}

run "pattern_that_matches_every_event" {
  command = plan
  variables {
    rules = { all = { pattern = "{}", targets = { billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" } } } }
  }
  expect_failures = [var.rules]
}

run "rule_without_a_target" {
  command = plan
  variables {
    rules = { idle = { pattern = "{\"source\":[\"shop\"]}", targets = {} } }
  }
  expect_failures = [var.rules]
}

run "rule_with_six_targets" {
  command = plan
  variables {
    rules = { busy = { pattern = "{\"source\":[\"shop\"]}", targets = { for n in range(6) : "t${n}" => { arn = "arn:aws:sqs:eu-west-1:123456789012:q${n}" } } } }
  }
  expect_failures = [var.rules]
}

run "rule_with_a_space_in_its_name" {
  command = plan
  variables {
    rules = { "order placed" = { pattern = "{\"source\":[\"shop\"]}", targets = { billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" } } } }
  }
  expect_failures = [var.rules]
}

run "target_with_a_dot_in_its_name" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { "to.billing" = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" } } } }
  }
  expect_failures = [var.rules]
}

run "target_with_two_inputs" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing", input = "{}", input_path = "$.detail" } } } }
  }
  expect_failures = [var.rules]
}

run "target_with_two_roles" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { ship = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship", role_arn = "arn:aws:iam::123456789012:role/mine", role_actions = ["states:StartExecution"] } } } }
  }
  expect_failures = [var.rules]
}

run "role_with_a_wildcard" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { ship = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship", role_actions = ["states:*"] } } } }
  }
  expect_failures = [var.rules]
}

run "retry_for_two_days" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing", retry = { max_age_seconds = 172800 } } } } }
  }
  expect_failures = [var.rules]
}

run "role_name_that_is_too_long" {
  command = plan
  variables {
    rules = { a_rule_with_a_long_name = { pattern = "{\"source\":[\"shop\"]}", targets = { a_target_with_a_very_long_name = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship", role_actions = ["states:StartExecution"] } } } }
  }
  expect_failures = [aws_iam_role.target]
}

run "state_machine_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "bus_as_a_target_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/other" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "api_destination_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:events:eu-west-1:123456789012:api-destination/shop/11111111-2222-3333-4444-555555555555" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "stream_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "delivery_stream_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "build_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:codebuild:eu-west-1:123456789012:project/shop" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "pipeline_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:codepipeline:eu-west-1:123456789012:shop" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "automation_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:ssm:eu-west-1:123456789012:automation-definition/restart" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "topic_of_another_account_without_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:sns:eu-west-1:210987654321:orders" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "cluster_needs_parameters" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop", role_arn = "arn:aws:iam::123456789012:role/mine" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "batch_queue_needs_parameters" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:batch:eu-west-1:123456789012:job-queue/shop", role_arn = "arn:aws:iam::123456789012:role/mine" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "run_command_needs_parameters" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:ssm:eu-west-1:123456789012:document/restart", role_arn = "arn:aws:iam::123456789012:role/mine" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "database_needs_parameters" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:redshift:eu-west-1:123456789012:cluster:shop", role_arn = "arn:aws:iam::123456789012:role/mine" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "graphql_api_needs_parameters" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:appsync:eu-west-1:123456789012:endpoints/graphql-api/shop", role_arn = "arn:aws:iam::123456789012:role/mine" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "log_group_with_a_role" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/shop/orders", role_arn = "arn:aws:iam::123456789012:role/mine" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "fifo_queue_without_a_group" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:sqs:eu-west-1:123456789012:orders.fifo" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "function_with_a_message_group" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders", message_group_id = "orders" } } } }
  }
  expect_failures = [aws_cloudwatch_event_target.this["order_placed.other"]]
}

run "target_that_is_not_an_arn" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "orders" } } } }
  }
  expect_failures = [var.rules]
}

run "dlq_that_is_a_fifo_queue" {
  command = plan
  variables {
    rules = { order_placed = { pattern = "{\"source\":[\"shop\"]}", targets = { other = { arn = "arn:aws:sqs:eu-west-1:123456789012:orders", dlq_arn = "arn:aws:sqs:eu-west-1:123456789012:orders-dlq.fifo" } } } }
  }
  expect_failures = [var.rules]
}
