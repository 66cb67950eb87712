# The module's resources: the bus, its archive, its rules and targets, and their DLQ.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_cloudwatch_event_archive" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:archive/mocked" }
  }
  mock_resource "aws_cloudwatch_event_bus" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/mocked" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:mocked", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/mocked" }
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

run "bus_is_encrypted_and_has_a_dlq" {
  assert {
    condition     = one(aws_cloudwatch_event_bus.this).name == "orders"
    error_message = "The bus does not have the given name."
  }
  assert {
    condition     = one(aws_cloudwatch_event_bus.this).kms_key_identifier == var.key_arn
    error_message = "The bus is not encrypted with the key."
  }
  assert {
    condition     = one(one(aws_cloudwatch_event_bus.this).dead_letter_config).arn == aws_sqs_queue.dlq.arn
    error_message = "Events that the bus cannot encrypt would be lost."
  }
}

run "dlq_has_no_key_and_keeps_messages_14_days" {
  assert {
    condition     = aws_sqs_queue.dlq.name == "orders-bus-dlq" && output.dlq_name == "orders-bus-dlq"
    error_message = "The DLQ has another name."
  }
  assert {
    condition     = aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "The DLQ must be encrypted without the key: it keeps events that the key cannot encrypt."
  }
  assert {
    condition     = aws_sqs_queue.dlq.message_retention_seconds == 1209600
    error_message = "The DLQ does not keep messages for 14 days."
  }
}

run "archive_policy_and_roles_are_off_by_default" {
  assert {
    condition     = length(aws_cloudwatch_event_archive.this) == 0 && output.archive_arn == null
    error_message = "There is an archive by default."
  }
  assert {
    condition     = length(aws_cloudwatch_event_bus_policy.this) == 0
    error_message = "There is a bus policy without publishers."
  }
  assert {
    condition     = length(aws_iam_role.target) == 0 && aws_cloudwatch_event_target.this["order_placed.billing"].role_arn == null
    error_message = "There is a role for a queue, which needs none."
  }
}

run "every_target_has_a_dlq_and_is_retried_for_a_day" {
  variables {
    rules = {
      order_placed = {
        pattern = "{\"source\":[\"shop\"]}"
        targets = {
          billing  = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" }
          shipping = { arn = "arn:aws:sqs:eu-west-1:123456789012:shipping", dlq_arn = "arn:aws:sqs:eu-west-1:123456789012:shipping-dlq" }
        }
      }
      order_lost = {
        pattern = "{\"source\":[\"shop\"]}"
        targets = {
          billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing", retry = { max_age_seconds = 600 } }
        }
      }
    }
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_event_target.this)) == toset(["order_placed.billing", "order_placed.shipping", "order_lost.billing"])
    error_message = "A target of a rule is missing."
  }
  assert {
    condition = alltrue([
      for key in ["order_placed.billing", "order_lost.billing"] :
      one(aws_cloudwatch_event_target.this[key].dead_letter_config).arn == aws_sqs_queue.dlq.arn
    ])
    error_message = "A target without `dlq_arn` does not use the module's DLQ."
  }
  assert {
    condition     = one(aws_cloudwatch_event_target.this["order_placed.shipping"].dead_letter_config).arn == "arn:aws:sqs:eu-west-1:123456789012:shipping-dlq"
    error_message = "A target's `dlq_arn` is not used."
  }
  assert {
    condition = (
      one(aws_cloudwatch_event_target.this["order_placed.billing"].retry_policy).maximum_event_age_in_seconds == 86400 &&
      one(aws_cloudwatch_event_target.this["order_placed.billing"].retry_policy).maximum_retry_attempts == 185
    )
    error_message = "By default EventBridge does not retry for its maximum of a day."
  }
  assert {
    condition = (
      one(aws_cloudwatch_event_target.this["order_lost.billing"].retry_policy).maximum_event_age_in_seconds == 600 &&
      one(aws_cloudwatch_event_target.this["order_lost.billing"].retry_policy).maximum_retry_attempts == 185
    )
    error_message = "A target's own retry policy is not used."
  }
}

run "rule_has_the_given_settings" {
  variables {
    rules = {
      order_placed = {
        description = "Placed orders"
        enabled     = false
        pattern     = "{\"source\":[\"shop\"]}"
        targets = {
          queue     = { arn = "arn:aws:sqs:eu-west-1:123456789012:q.fifo", message_group_id = "orders" }
          path      = { arn = "arn:aws:sqs:eu-west-1:123456789012:p", input_path = "$.detail" }
          constant  = { arn = "arn:aws:sqs:eu-west-1:123456789012:c", input = "{\"ping\":true}" }
          templated = { arn = "arn:aws:sqs:eu-west-1:123456789012:t", input_transformer = { paths = { id = "$.detail.id" }, template = "\"order <id>\"" } }
          by_role   = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/other", role_arn = "arn:aws:iam::123456789012:role/mine" }
        }
      }
    }
  }

  assert {
    condition = (
      aws_cloudwatch_event_rule.this["order_placed"].name == "order_placed" &&
      aws_cloudwatch_event_rule.this["order_placed"].event_bus_name == "orders" &&
      aws_cloudwatch_event_rule.this["order_placed"].event_pattern == "{\"source\":[\"shop\"]}" &&
      aws_cloudwatch_event_rule.this["order_placed"].description == "Placed orders" &&
      aws_cloudwatch_event_rule.this["order_placed"].state == "DISABLED"
    )
    error_message = "The rule differs from its settings."
  }
  assert {
    condition     = alltrue([for target in values(aws_cloudwatch_event_target.this) : target.rule == "order_placed" && target.event_bus_name == "orders"])
    error_message = "A target belongs to another rule or bus."
  }
  assert {
    condition     = one(aws_cloudwatch_event_target.this["order_placed.queue"].sqs_target).message_group_id == "orders"
    error_message = "The message group is missing."
  }
  assert {
    condition     = aws_cloudwatch_event_target.this["order_placed.path"].input_path == "$.detail"
    error_message = "The input path is missing."
  }
  assert {
    condition     = aws_cloudwatch_event_target.this["order_placed.constant"].input == "{\"ping\":true}"
    error_message = "The constant input is missing."
  }
  assert {
    condition = (
      one(aws_cloudwatch_event_target.this["order_placed.templated"].input_transformer).input_paths == tomap({ id = "$.detail.id" }) &&
      one(aws_cloudwatch_event_target.this["order_placed.templated"].input_transformer).input_template == "\"order <id>\""
    )
    error_message = "The input transformer is missing."
  }
  assert {
    condition     = aws_cloudwatch_event_target.this["order_placed.by_role"].role_arn == "arn:aws:iam::123456789012:role/mine" && length(aws_iam_role.target) == 0
    error_message = "A given role is not used, or another one is created."
  }
}

run "target_with_role_actions_gets_a_role" {
  variables {
    rules = {
      order_placed = {
        pattern = "{\"source\":[\"shop\"]}"
        targets = { ship = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship", role_actions = ["states:StartExecution"] } }
      }
    }
  }

  assert {
    condition     = aws_cloudwatch_event_target.this["order_placed.ship"].role_arn == aws_iam_role.target["order_placed.ship"].arn
    error_message = "The target does not have its role."
  }
  assert {
    condition     = output.role_arns == { "order_placed.ship" = aws_iam_role.target["order_placed.ship"].arn }
    error_message = "The output is not the role's ARN."
  }
}

run "archive_keeps_the_buss_events" {
  variables {
    archive = { retention_days = 90, pattern = "{\"source\":[\"shop\"]}" }
  }

  assert {
    condition = (
      one(aws_cloudwatch_event_archive.this).name == "orders-bus" &&
      one(aws_cloudwatch_event_archive.this).event_source_arn == one(aws_cloudwatch_event_bus.this).arn &&
      one(aws_cloudwatch_event_archive.this).retention_days == 90 &&
      one(aws_cloudwatch_event_archive.this).event_pattern == "{\"source\":[\"shop\"]}"
    )
    error_message = "The archive differs from its settings."
  }
  assert {
    condition     = output.archive_arn == one(aws_cloudwatch_event_archive.this).arn
    error_message = "The output is not the archive's ARN."
  }
}

run "archive_keeps_30_days_by_default" {
  variables {
    archive = {}
  }

  assert {
    condition     = one(aws_cloudwatch_event_archive.this).retention_days == 30 && one(aws_cloudwatch_event_archive.this).event_pattern == null
    error_message = "By default the archive does not keep every event for 30 days."
  }
}

run "arns_are_known_from_names" {
  command = plan

  assert {
    condition     = output.arn == "arn:aws:events:eu-west-1:123456789012:event-bus/orders" && output.static_arn == output.arn
    error_message = "The bus's ARN is not known at plan."
  }
  assert {
    condition     = output.rule_arns == { order_placed = "arn:aws:events:eu-west-1:123456789012:rule/orders/order_placed" }
    error_message = "The rules' ARNs are not known at plan."
  }
  assert {
    condition     = output.rule_arn_pattern == "arn:aws:events:eu-west-1:123456789012:rule/orders/*"
    error_message = "The pattern does not match the rules of this bus, and only those."
  }
  assert {
    condition     = output.dlq_arn == "arn:aws:sqs:eu-west-1:123456789012:orders-bus-dlq"
    error_message = "The DLQ's ARN is not known at plan."
  }
}

run "default_bus_is_not_created" {
  variables {
    name    = "default"
    prefix  = "shop"
    key_arn = null
    archive = {}
  }

  assert {
    condition     = length(aws_cloudwatch_event_bus.this) == 0 && output.name == "default"
    error_message = "The module creates the default bus."
  }
  assert {
    condition     = aws_cloudwatch_event_rule.this["order_placed"].name == "shop-order_placed" && aws_cloudwatch_event_rule.this["order_placed"].event_bus_name == "default"
    error_message = "A rule of the default bus does not begin with the prefix."
  }
  assert {
    condition     = output.rule_names == { order_placed = "shop-order_placed" }
    error_message = "The output is not the rule's name."
  }
  assert {
    condition     = output.rule_arns == { order_placed = "arn:aws:events:eu-west-1:123456789012:rule/shop-order_placed" }
    error_message = "The ARN of a rule of the default bus contains a bus."
  }
  assert {
    condition     = output.rule_arn_pattern == "arn:aws:events:eu-west-1:123456789012:rule/shop-*"
    error_message = "The pattern must not match other rules of the default bus."
  }
  assert {
    condition     = aws_sqs_queue.dlq.name == "shop-events-dlq" && one(aws_cloudwatch_event_target.this["order_placed.billing"].dead_letter_config).arn == aws_sqs_queue.dlq.arn
    error_message = "A target on the default bus has no DLQ."
  }
  assert {
    condition     = one(aws_cloudwatch_event_archive.this).event_source_arn == "arn:aws:events:eu-west-1:123456789012:event-bus/default" && one(aws_cloudwatch_event_archive.this).name == "shop-events"
    error_message = "The archive is not for the default bus."
  }
}

run "prefix_allows_a_dotted_bus_name" {
  variables {
    name   = "shop.orders"
    prefix = "orders"
  }

  assert {
    condition     = one(aws_cloudwatch_event_bus.this).name == "shop.orders" && output.dlq_name == "orders-bus-dlq"
    error_message = "The names do not begin with the prefix."
  }
  assert {
    condition     = output.rule_arn_pattern == "arn:aws:events:eu-west-1:123456789012:rule/shop.orders/*"
    error_message = "The rules' ARNs do not contain the bus's name."
  }
}

run "all_resources_are_tagged" {
  variables {
    tags = { team = "shop" }
    rules = {
      order_placed = {
        pattern = "{\"source\":[\"shop\"]}"
        targets = { other = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/other", role_actions = ["events:PutEvents"] } }
      }
    }
  }

  assert {
    condition = alltrue([
      for tags in [
        one(aws_cloudwatch_event_bus.this).tags,
        aws_cloudwatch_event_rule.this["order_placed"].tags,
        aws_iam_role.target["order_placed.other"].tags,
        aws_sqs_queue.dlq.tags,
      ] : tags == tomap({ team = "shop" })
    ])
    error_message = "A resource has no tags."
  }
}
