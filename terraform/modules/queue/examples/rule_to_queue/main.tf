# A rule sends orders to a queue, whose consumer has a timeout of 20 s. Orders that EventBridge cannot deliver go to a DLQ.

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
  consumer = { function_timeout = 20 } # a received message is hidden for 120 s

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
  dlq               = null # this queue is a DLQ
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
  description = "URL of the queue with the orders."
  value       = module.orders.url
}

output "dlq_url" {
  description = "URL of the DLQ with the orders that were received five times and not deleted."
  value       = module.orders.dlq_url
}
