data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  created    = var.name != "default"
  prefix     = coalesce(var.prefix, var.name)
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id

  # Rules on the default bus need a prefix, because all rules of the account share that bus.
  rule_prefix = local.created ? "" : "${local.prefix}-"

  # The suffixes differ: otherwise the bus `a-b`, and rules on the default bus with the prefix `a-b`, would have the same
  # name for two queues.
  archive_name = "${local.prefix}-${local.created ? "bus" : "events"}"

  # Built from names, not read from resources: the policies of the key and the targets contain these ARNs, and the bus
  # and its rules depend on the key and the targets.
  arn              = "arn:${local.partition}:events:${local.region}:${local.account_id}:event-bus/${var.name}"
  dlq_arn          = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.dlq_name}"
  dlq_name         = "${local.archive_name}-dlq"
  rule_arn_prefix  = "arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${local.created ? "${var.name}/" : local.rule_prefix}"
  rule_arn_pattern = "${local.rule_arn_prefix}*"
}

resource "aws_cloudwatch_event_bus" "this" {
  count = local.created ? 1 : 0

  name               = var.name
  kms_key_identifier = var.key_arn

  # Keeps the events that the bus cannot encrypt or decrypt, for example while the key is disabled.
  dead_letter_config {
    arn = aws_sqs_queue.dlq.arn
  }

  tags = var.tags
}

resource "aws_cloudwatch_event_archive" "this" {
  count = var.archive == null ? 0 : 1

  name             = local.archive_name
  event_source_arn = local.created ? aws_cloudwatch_event_bus.this[0].arn : local.arn
  event_pattern    = var.archive.pattern
  retention_days   = var.archive.retention_days

  lifecycle {
    precondition {
      condition     = length(local.archive_name) <= 48
      error_message = "The archive's name ${local.archive_name} has ${length(local.archive_name)} characters, but EventBridge allows 48: set a shorter `prefix`."
    }
  }
}

# Encrypted with SQS's own key: AWS sends events here if the customer-managed key is disabled or missing
# (docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html).
# The policy is an argument: the provider waits 25 s for a separate aws_sqs_queue_policy.
resource "aws_sqs_queue" "dlq" {
  name                      = local.dlq_name
  message_retention_seconds = 14 * 24 * 60 * 60
  policy                    = data.aws_iam_policy_document.dlq.json
  sqs_managed_sse_enabled   = true

  tags = var.tags
}
