# A key for an encrypted queue that subscribes to an encrypted topic, and for a log group.

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

data "aws_region" "current" {}

data "aws_service_principal" "logs" {
  service_name = "logs"
}

locals {
  location = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
}

module "key" {
  source = "../.."

  name        = "example-order-notices"
  description = "Orders and their logs."

  services = {
    # SNS encrypts messages for the queue. The topic also needs the key, so its ARN is built from parts to avoid a cycle.
    topic_to_queue = {
      service     = "sns.amazonaws.com"
      source_arns = ["arn:${data.aws_partition.current.partition}:sns:${local.location}:example-order-notices"]
    }

    # CloudWatch Logs sends no source ARN, but the log group in the encryption context.
    logs = {
      service            = data.aws_service_principal.logs.id
      actions            = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      encryption_context = { "aws:logs:arn" = ["arn:${data.aws_partition.current.partition}:logs:${local.location}:log-group:/example/orders"] }
    }
  }
}

resource "aws_sns_topic" "orders" {
  name              = "example-order-notices"
  kms_master_key_id = module.key.arn
}

resource "aws_cloudwatch_log_group" "orders" {
  name              = "/example/orders"
  kms_key_id        = module.key.arn
  retention_in_days = 365
}

output "key_arn" {
  description = "ARN of the key, also for the queue."
  value       = module.key.arn
}
