# One key for the whole pipeline. It encrypts everything except the DLQs that must work without it. Disabling it
# ends all access to images and records immediately. The key's policy grants each service only the access it needs for
# its deliveries; roles get their grants in the file that creates them.
module "key" {
  source = "./modules/key"

  name        = var.name
  description = "Encrypts the data of the image pipeline ${var.name}."

  policy_documents = [data.aws_iam_policy_document.event_bus_key.json]

  services = {
    # Rules deliver to encrypted queues: to `uploads`, and from the bus to queues outside the pipeline (output `key_arn`).
    event_rules = { service = "events.amazonaws.com", source_arns = [module.uploads_rules.rule_arn_pattern, module.bus.rule_arn_pattern] }
    event_bus   = { service = "events.amazonaws.com", source_arns = [module.bus.static_arn] }

    # The topic delivers to encrypted queues.
    notifications = { service = "sns.amazonaws.com", source_arns = [module.notifications.static_arn] }

    logs = {
      service = data.aws_service_principal.logs.id # its domain depends on the partition
      actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      encryption_context = {
        "aws:logs:arn" = concat(
          [module.process_image.log_group_arn, module.record_image.log_group_arn],
          var.api == null ? [] : concat(module.api[0].log_group_arns, [module.presign_upload[0].log_group_arn]),
          var.reconcile == null ? [] : [module.reconcile[0].log_group_arn],
        )
      }
    }

    # A delivery service, not the workflow, writes the workflow's log. AWS documents no source ARN for the delivery, only
    # the encryption context of the data keys that the workflow's role creates.
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

  # A bucket's name is unique among all accounts and regions of a partition.
  bucket_suffix = "${local.account_id}-${var.region}"
}

# EventBridge describes the key before the bus exists. That request names no source.
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
