# A queue that receives only the refunds among the published orders.

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

# The subscription depends on the queue, and the queue's policy on the topic: static_arn avoids the cycle.
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
  description = "ARN of the topic to publish orders to, each with the message attribute status."
  value       = module.orders.arn
}

output "dlq_url" {
  description = "URL of the DLQ with the refunds that the queue did not accept."
  value       = module.orders.dlq_url
}
