# One key for the whole pipeline: it encrypts everything but the dead-letter queues that have to work without it, and
# disabling it ends all access to images and records at once.
# Services get exactly the grants that the arrows between them need; roles get theirs where they are created.
module "key" {
  source = "./modules/key"

  name        = var.name
  description = "Everything that the image pipeline ${var.name} stores."

  policy_documents = [data.aws_iam_policy_document.event_bus_key.json]

  services = {
    # Rules deliver to encrypted queues: to `uploads`, and from the bus to queues of others (output `key_arn`).
    event_rules = { service = "events.amazonaws.com", source_arns = [module.uploads_rules.rule_arn_pattern, module.bus.rule_arn_pattern] }
    event_bus   = { service = "events.amazonaws.com", source_arns = [module.bus.static_arn] }

    # The topic delivers to encrypted queues, too.
    notifications = { service = "sns.amazonaws.com", source_arns = [module.notifications.static_arn] }

    logs = {
      service = data.aws_service_principal.logs.id # its domain is that of the partition
      actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      encryption_context = {
        "aws:logs:arn" = concat(
          [module.process_image.log_group_arn, module.record_image.log_group_arn],
          var.api == null ? [] : concat(module.api[0].log_group_arns, [module.presign_upload[0].log_group_arn]),
          var.reconcile == null ? [] : [module.reconcile[0].log_group_arn],
        )
      }
    }

    # The workflow's log is delivered to its group, not written by the workflow itself. AWS documents no source for the
    # delivery, but the encryption context under which the workflow's role makes the data keys.
    log_delivery = {
      service            = "delivery.logs.amazonaws.com"
      actions            = ["kms:Decrypt"]
      encryption_context = { SourceArn = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:*"] }
    }
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # The names of buckets are one namespace for all accounts and regions of a partition.
  bucket_suffix = "${local.account_id}-${var.region}"
}

# EventBridge looks at the key before the bus exists, and then names no source.
data "aws_iam_policy_document" "event_bus_key" {
  statement {
    sid       = "EventBusKey"
    actions   = ["kms:DescribeKey"]
    resources = ["*"] # this key

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}
