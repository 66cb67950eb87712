data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Built from names, so policies can contain it before the queue exists.
  arn_prefix = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  arn        = "${local.arn_prefix}:${var.name}"
  dlq_name   = "${var.name}-dlq"
  dlq_arn    = "${local.arn_prefix}:${local.dlq_name}"

  # AWS's rule, so that a message is not delivered again while Lambda still retries its batch after throttling.
  consumer_needs = var.consumer == null ? 0 : 6 * var.consumer.function_timeout + var.consumer.batch_window

  visibility_timeout = var.visibility_timeout == null ? max(30, local.consumer_needs) : var.visibility_timeout
}

# All settings are arguments of the two queues: each separate policy or redrive resource would wait another 25 s.
resource "aws_sqs_queue" "this" {
  name                              = var.name
  kms_data_key_reuse_period_seconds = var.key_arn == null ? null : var.key_reuse_period
  kms_master_key_id                 = var.key_arn
  message_retention_seconds         = var.message_retention
  policy                            = data.aws_iam_policy_document.this.json
  receive_wait_time_seconds         = var.receive_wait
  sqs_managed_sse_enabled           = var.key_arn == null ? true : null
  visibility_timeout_seconds        = local.visibility_timeout

  redrive_policy = var.dlq == null ? null : jsonencode({
    deadLetterTargetArn = local.dlq_arn
    maxReceiveCount     = var.dlq.max_receive_count
  })

  redrive_allow_policy = (
    length(var.redrive_sources) == 0
    ? jsonencode({ redrivePermission = "denyAll" })
    : jsonencode({ redrivePermission = "byQueue", sourceQueueArns = var.redrive_sources })
  )

  tags = var.tags

  depends_on = [aws_sqs_queue.dlq]

  lifecycle {
    precondition {
      condition     = local.visibility_timeout >= local.consumer_needs
      error_message = "visibility timeout ${local.visibility_timeout} s must be at least 6 × the function timeout ${try(var.consumer.function_timeout, 0)} s${try(var.consumer.batch_window, 0) == 0 ? "" : " plus the batch window ${var.consumer.batch_window} s"}: set it to ${local.consumer_needs} s"
    }

    precondition {
      condition     = var.dlq == null || try(var.dlq.retention >= var.message_retention, false)
      error_message = "DLQ retention ${try(var.dlq.retention, 0)} s must not be shorter than the queue's ${var.message_retention} s, because a message's age counts from when it was first sent: set it to 1209600 s"
    }

    postcondition {
      condition     = var.dlq != null || !strcontains(coalesce(self.redrive_policy, "none"), local.dlq_arn)
      error_message = "queue ${var.name} still refers to its DLQ, which this plan deletes. Remove the reference first: aws sqs set-queue-attributes --queue-url ${self.url} --attributes RedrivePolicy="
    }
  }
}

resource "aws_sqs_queue" "dlq" {
  count = var.dlq == null ? 0 : 1

  name                              = local.dlq_name
  kms_data_key_reuse_period_seconds = var.key_arn == null ? null : var.key_reuse_period
  kms_master_key_id                 = var.key_arn
  message_retention_seconds         = var.dlq.retention
  policy                            = data.aws_iam_policy_document.dlq.json
  sqs_managed_sse_enabled           = var.key_arn == null ? true : null

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.arn]
  })

  tags = var.tags
}
