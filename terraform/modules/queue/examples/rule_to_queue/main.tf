# Orders that a rule picks wait for a function of 20 seconds; those that EventBridge cannot deliver wait for a person.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

module "orders" {
  source = "../.."

  name     = "example-orders"
  consumer = { function_timeout = 20 } # so a message in work stays hidden for 120 s

  senders = {
    order_placed = {
      service     = "events.amazonaws.com"
      source_arns = [aws_cloudwatch_event_rule.order_placed.arn]
    }
  }
}

module "rule_dlq" {
  source = "../.."

  name              = "example-orders-rule-dlq"
  dlq               = null # it is one itself
  message_retention = 1209600

  senders = {
    order_placed = {
      service     = "events.amazonaws.com"
      source_arns = [aws_cloudwatch_event_rule.order_placed.arn]
    }
  }
}

resource "aws_cloudwatch_event_rule" "order_placed" {
  name          = "example-order-placed"
  event_pattern = jsonencode({ source = ["shop"], detail-type = ["Order Placed"] })
}

resource "aws_cloudwatch_event_target" "orders" {
  rule = aws_cloudwatch_event_rule.order_placed.name
  arn  = module.orders.arn

  dead_letter_config {
    arn = module.rule_dlq.arn
  }
}

output "url" {
  description = "Receive the orders from this queue."
  value       = module.orders.url
}

output "dlq_url" {
  description = "Orders that were received five times, and not deleted, rest here."
  value       = module.orders.dlq_url
}
