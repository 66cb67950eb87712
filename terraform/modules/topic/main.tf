data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  location   = "${data.aws_region.current.id}:${local.account_id}"

  # Built from names, so the policies of the topic and its DLQ can contain both ARNs before they exist.
  arn      = "arn:${data.aws_partition.current.partition}:sns:${local.location}:${var.name}"
  dlq_name = "${var.name}-dlq"
  dlq_arn  = "arn:${data.aws_partition.current.partition}:sqs:${local.location}:${local.dlq_name}"
}

resource "aws_sns_topic" "this" {
  name              = var.name
  display_name      = var.display_name
  kms_master_key_id = coalesce(var.key_arn, "alias/aws/sns")
  policy            = data.aws_iam_policy_document.this.json
  signature_version = 2 # SHA-256
  tracing_config    = var.tracing ? "Active" : "PassThrough"

  tags = var.tags
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.subscriptions

  endpoint              = each.value.endpoint
  filter_policy         = each.value.filter_policy
  filter_policy_scope   = each.value.filter_policy == null ? null : each.value.filter_policy_scope
  protocol              = each.value.protocol
  raw_message_delivery  = each.value.raw
  redrive_policy        = jsonencode({ deadLetterTargetArn = local.dlq_arn })
  subscription_role_arn = each.value.role_arn
  topic_arn             = local.arn

  depends_on = [aws_sns_topic.this, aws_sqs_queue.dlq]
}

# Keeps messages that a subscriber's permissions refuse, which SNS does not retry, and messages whose retries failed.
# Encrypted with SQS's own key: one reason for a failed delivery is that SNS may not use the topic's key.
resource "aws_sqs_queue" "dlq" {
  name                      = local.dlq_name
  message_retention_seconds = var.dlq_retention
  policy                    = data.aws_iam_policy_document.dlq.json
  redrive_allow_policy      = jsonencode({ redrivePermission = "denyAll" })
  sqs_managed_sse_enabled   = true

  tags = var.tags
}
