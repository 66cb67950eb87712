# Who may do what: every statement names its principal, one resource and the conditions that hold it to this module's rules.

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
      targets = {
        billing = { arn = "arn:aws:sqs:eu-west-1:123456789012:billing" }
        ship    = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship", role_actions = ["states:StartExecution"] }
      }
    }
    order_lost = {
      pattern = "{\"source\":[\"shop\"]}"
      targets = { ship = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:search", role_actions = ["states:StartExecution"] } }
    }
  }
}

run "only_these_rules_and_this_bus_may_send_to_the_dlq" {
  assert {
    condition     = aws_sqs_queue.dlq.policy == data.aws_iam_policy_document.dlq.json
    error_message = "The dead-letter queue has another policy."
  }
  assert {
    condition     = length([for s in data.aws_iam_policy_document.dlq.statement : s if s.effect != "Deny"]) == 1
    error_message = "More than one statement allows something."
  }
  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.dlq.statement : (
        s.actions == toset(["sqs:SendMessage"]) &&
        s.resources == toset(["arn:aws:sqs:eu-west-1:123456789012:orders-events-dlq"]) &&
        one(s.principals).type == "Service" && one(s.principals).identifiers == toset(["events.amazonaws.com"])
      ) if s.effect != "Deny"
    ])
    error_message = "The grant is not: EventBridge may send to this queue."
  }
  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.dlq.statement : s.condition == toset([
        { test = "StringEquals", variable = "aws:SourceAccount", values = tolist(["123456789012"]) },
        { test = "ArnEquals", variable = "aws:SourceArn", values = tolist([
          "arn:aws:events:eu-west-1:123456789012:rule/orders/order_lost",
          "arn:aws:events:eu-west-1:123456789012:rule/orders/order_placed",
          "arn:aws:events:eu-west-1:123456789012:event-bus/orders",
        ]) },
      ]) if s.effect != "Deny"
    ])
    error_message = "The grant is not held to the rules and the bus of this account."
  }
}

run "on_the_default_bus_only_the_rules_may_send_to_the_dlq" {
  variables {
    name   = "default"
    prefix = "shop"
  }

  assert {
    condition = alltrue(flatten([
      for s in data.aws_iam_policy_document.dlq.statement : [
        for c in s.condition : c.values == tolist([
          "arn:aws:events:eu-west-1:123456789012:rule/shop-order_lost",
          "arn:aws:events:eu-west-1:123456789012:rule/shop-order_placed",
        ]) if c.variable == "aws:SourceArn"
      ] if s.effect != "Deny"
    ]))
    error_message = "The grant is not held to the module's rules."
  }
}

run "the_dlq_refuses_plain_http" {
  assert {
    condition = anytrue([
      for s in data.aws_iam_policy_document.dlq.statement : (
        s.effect == "Deny" && s.actions == toset(["sqs:*"]) &&
        s.resources == toset(["arn:aws:sqs:eu-west-1:123456789012:orders-events-dlq"]) &&
        one(s.principals).identifiers == toset(["*"]) &&
        one(s.condition) == { test = "Bool", variable = "aws:SecureTransport", values = tolist(["false"]) }
      )
    ])
    error_message = "The dead-letter queue can be used without TLS."
  }
}

run "each_target_with_a_role_has_one_of_its_own" {
  assert {
    condition     = toset(keys(aws_iam_role.target)) == toset(["order_placed.ship", "order_lost.ship"])
    error_message = "Not exactly the targets with role_actions have roles."
  }
  assert {
    condition     = aws_iam_role.target["order_placed.ship"].name == "orders-order_placed-ship-eu-west-1"
    error_message = "The role's name does not tell its bus, rule, target and region."
  }
  assert {
    condition = (
      aws_cloudwatch_event_target.this["order_placed.ship"].role_arn == aws_iam_role.target["order_placed.ship"].arn &&
      output.role_arns["order_placed.ship"] == aws_iam_role.target["order_placed.ship"].arn
    )
    error_message = "The target is not reached with its role."
  }
}

run "a_role_allows_the_one_action_on_the_one_target" {
  assert {
    condition = (
      one(data.aws_iam_policy_document.target["order_placed.ship"].statement).actions == toset(["states:StartExecution"]) &&
      one(data.aws_iam_policy_document.target["order_placed.ship"].statement).resources == toset(["arn:aws:states:eu-west-1:123456789012:stateMachine:ship"]) &&
      one(data.aws_iam_policy_document.target["order_lost.ship"].statement).resources == toset(["arn:aws:states:eu-west-1:123456789012:stateMachine:search"])
    )
    error_message = "A role allows something else."
  }
  assert {
    condition     = aws_iam_role_policy.target["order_placed.ship"].policy == data.aws_iam_policy_document.target["order_placed.ship"].json
    error_message = "The role has another policy."
  }
}

run "a_role_is_assumed_by_its_own_rule_only" {
  assert {
    condition     = aws_iam_role.target["order_placed.ship"].assume_role_policy == data.aws_iam_policy_document.target_trust["order_placed.ship"].json
    error_message = "The role trusts somebody else."
  }
  assert {
    condition = (
      one(data.aws_iam_policy_document.target_trust["order_placed.ship"].statement).actions == toset(["sts:AssumeRole"]) &&
      one(one(data.aws_iam_policy_document.target_trust["order_placed.ship"].statement).principals).identifiers == toset(["events.amazonaws.com"]) &&
      one(data.aws_iam_policy_document.target_trust["order_placed.ship"].statement).condition == toset([
        { test = "StringEquals", variable = "aws:SourceAccount", values = tolist(["123456789012"]) },
        { test = "ArnEquals", variable = "aws:SourceArn", values = tolist(["arn:aws:events:eu-west-1:123456789012:rule/orders/order_placed"]) },
      ])
    )
    error_message = "The role can be assumed for another rule or another account."
  }
}

run "publishers_are_accounts_or_an_organisation" {
  variables {
    publishers = {
      partners = { account_ids = ["210987654321", "310987654321"], sources = ["partner.orders"] }
      everyone = { organization_id = "o-abcdefghij" }
    }
  }

  assert {
    condition = (
      one(aws_cloudwatch_event_bus_policy.this).event_bus_name == "orders" &&
      one(aws_cloudwatch_event_bus_policy.this).policy == one(data.aws_iam_policy_document.publishers).json
    )
    error_message = "The bus does not have the publishers' policy."
  }
  assert {
    condition = alltrue([
      for s in one(data.aws_iam_policy_document.publishers).statement :
      s.actions == toset(["events:PutEvents"]) && s.resources == toset(["arn:aws:events:eu-west-1:123456789012:event-bus/orders"])
    ])
    error_message = "A publisher may do more than put events on this bus."
  }
  assert {
    condition = alltrue([
      for s in one(data.aws_iam_policy_document.publishers).statement : (
        one(s.principals).identifiers == toset(["arn:aws:iam::210987654321:root", "arn:aws:iam::310987654321:root"]) &&
        one(s.condition) == { test = "StringEquals", variable = "events:source", values = tolist(["partner.orders"]) }
      ) if s.sid == "PutEventspartners"
    ])
    error_message = "The accounts may put other events, or others may put them."
  }
  assert {
    condition = alltrue([
      for s in one(data.aws_iam_policy_document.publishers).statement : (
        one(s.principals).identifiers == toset(["*"]) &&
        one(s.condition) == { test = "StringEquals", variable = "aws:PrincipalOrgID", values = tolist(["o-abcdefghij"]) }
      ) if s.sid == "PutEventseveryone"
    ])
    error_message = "The grant to everyone is not held to the organisation."
  }
  assert {
    condition     = toset(one(data.aws_iam_policy_document.publishers).statement[*].sid) == toset(["PutEventspartners", "PutEventseveryone"])
    error_message = "A publisher has no statement, or somebody else has one."
  }
}
