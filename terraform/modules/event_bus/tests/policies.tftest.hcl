# The policies, as the real provider renders them. Offline: a plan of new resources makes no request.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
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
      targets = { search = { arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:search", role_actions = ["states:StartExecution"] } }
    }
  }
}

run "only_bus_and_rules_send_to_the_dlq_over_tls" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.dlq.policy).Statement == [
      {
        Sid       = "Undeliverable"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:orders-bus-dlq"
        Condition = {
          ArnLike = {
            "aws:SourceArn" = [
              "arn:aws:events:eu-west-1:123456789012:rule/orders/*",
              "arn:aws:events:eu-west-1:123456789012:event-bus/orders",
            ]
          }
        }
      },
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:orders-bus-dlq"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
    error_message = "The DLQ must accept messages only from this bus and its rules, and only over TLS: ${aws_sqs_queue.dlq.policy}"
  }
}

run "only_prefixed_rules_send_to_the_dlq" {
  command = plan

  variables {
    name    = "default"
    prefix  = "shop"
    key_arn = null
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dlq.policy).Statement[0].Condition == {
      ArnLike = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/shop-*" }
    }
    error_message = "On the default bus, only the module's rules may send: ${aws_sqs_queue.dlq.policy}"
  }
}

run "dlq_does_not_depend_on_a_key" {
  command = plan

  assert {
    condition     = aws_sqs_queue.dlq.kms_master_key_id == null && aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "The DLQ keeps events that the bus's key cannot encrypt, so it must not use a KMS key."
  }
}

run "target_role_has_only_its_actions" {
  command = plan

  assert {
    condition = { for key, policy in aws_iam_role_policy.target : key => jsondecode(policy.policy).Statement } == {
      "order_lost.search" = [{
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = "arn:aws:states:eu-west-1:123456789012:stateMachine:search"
      }]
      "order_placed.ship" = [{
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = "arn:aws:states:eu-west-1:123456789012:stateMachine:ship"
      }]
    }
    error_message = "Each role must allow its target's action on its target, and nothing else."
  }

  assert {
    condition = { for key, role in aws_iam_role.target : key => role.name } == {
      "order_lost.search" = "orders-order_lost-search-eu-west-1"
      "order_placed.ship" = "orders-order_placed-ship-eu-west-1"
    }
    error_message = "A role's name must contain bus, rule, target and region."
  }
}

run "role_is_restricted_to_its_rule" {
  command = plan

  assert {
    condition = { for key, role in aws_iam_role.target : key => jsondecode(role.assume_role_policy).Statement } == {
      for key, rule in { "order_lost.search" = "order_lost", "order_placed.ship" = "order_placed" } : key => [{
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          ArnEquals    = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/orders/${rule}" }
          StringEquals = { "aws:SourceAccount" = "123456789012" }
        }
      }]
    }
    error_message = "Only EventBridge may assume the role, for one rule of this account."
  }
}

run "publishers_are_accounts_or_an_organisation" {
  command = plan

  variables {
    publishers = {
      everyone = { organization_id = "o-abcdefghij" }
      partners = { account_ids = ["210987654321", "310987654321"], sources = ["partner.orders"] }
    }
  }

  assert {
    condition = jsondecode(one(aws_cloudwatch_event_bus_policy.this).policy).Statement == [
      {
        Sid       = "PutEventseveryone"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = "events:PutEvents"
        Resource  = "arn:aws:events:eu-west-1:123456789012:event-bus/orders"
        Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-abcdefghij" } }
      },
      {
        Sid       = "PutEventspartners"
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::310987654321:root", "arn:aws:iam::210987654321:root"] }
        Action    = "events:PutEvents"
        Resource  = "arn:aws:events:eu-west-1:123456789012:event-bus/orders"
        Condition = { StringEquals = { "events:source" = "partner.orders" } }
      },
    ]
    error_message = "Each publisher must be restricted to its organisation, or to its accounts and sources: ${one(aws_cloudwatch_event_bus_policy.this).policy}"
  }
}
