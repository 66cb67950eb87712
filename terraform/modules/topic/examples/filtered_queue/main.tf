# A queue receives only the refunds of all the orders that are published.

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

  name = "example-order-events"

  subscriptions = {
    refunds = {
      protocol      = "sqs"
      endpoint      = aws_sqs_queue.refunds.arn
      filter_policy = jsonencode({ status = ["Refunded"] })
      raw           = true
    }
  }
}

resource "aws_sqs_queue" "refunds" {
  name                    = "example-refunds"
  policy                  = data.aws_iam_policy_document.refunds.json
  sqs_managed_sse_enabled = true
}

# The subscription needs the queue, and the queue's policy the topic: hence static_arn.
data "aws_iam_policy_document" "refunds" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["*"] # this queue

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [module.orders.static_arn]
    }
  }
}

output "arn" {
  description = "Publish the orders here, each with the message attribute status."
  value       = module.orders.arn
}

output "dlq_url" {
  description = "Refunds that the queue did not take rest here."
  value       = module.orders.dlq_url
}
