# A custom bus. Orders of the shop, and orders that a partner publishes from another account, go to a queue and to the
# bus `audit`, and can be replayed for 30 days. The partner addresses the bus by its ARN, and may only publish events of
# the source `shop.partner`.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

variable "partner_account_id" {
  description = "Account that may put orders on the bus. The default is the number that AWS uses in its examples."
  type        = string
  default     = "111122223333"
}

module "orders" {
  source = "../.."

  name    = "example-orders"
  key_arn = aws_kms_key.orders.arn
  archive = { retention_days = 30 }

  publishers = {
    partner = { account_ids = [var.partner_account_id], sources = ["shop.partner"] }
  }

  rules = {
    order_placed = {
      pattern = jsonencode({ source = ["shop", "shop.partner"], detail-type = ["Order Placed"] })
      targets = {
        billing = { arn = aws_sqs_queue.billing.arn }
        audit   = { arn = aws_cloudwatch_event_bus.audit.arn, role_actions = ["events:PutEvents"] }
      }
    }
  }
}

# EventBridge uses the key for the bus and for the queue `billing`.
resource "aws_kms_key" "orders" {
  description             = "Orders"
  deletion_window_in_days = 7
  enable_key_rotation     = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "EventBridgeChecks"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "kms:DescribeKey"
        Resource  = "*"
        # Before the bus exists, EventBridge may send no source.
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
      {
        Sid       = "EventBridgeEncrypts"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { ArnLike = { "aws:SourceArn" = [module.orders.static_arn, module.orders.rule_arn_pattern] } }
      },
    ]
  })
}

resource "aws_sqs_queue" "billing" {
  name              = "example-billing"
  kms_master_key_id = aws_kms_key.orders.arn
  policy            = data.aws_iam_policy_document.billing.json
}

data "aws_iam_policy_document" "billing" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["*"] # this queue

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [module.orders.rule_arn_pattern]
    }
  }
}

resource "aws_cloudwatch_event_bus" "audit" {
  name = "example-audit"
}

output "archive_arn" {
  description = "ARN of the archive to replay orders from."
  value       = module.orders.archive_arn
}

output "billing_url" {
  description = "URL of the queue of the orders."
  value       = aws_sqs_queue.billing.url
}

output "bus_arn" {
  description = "ARN of the bus, for publishers in both accounts."
  value       = module.orders.arn
}
