# In:         a schedule, if `reconcile` sets one (off by default).
# Out:        with `repair`, lost events to the queue `uploads`, and orphaned derivatives deleted; otherwise a report only.
# On failure: the next run continues; an invocation that failed or could not start is kept in reconcile-dlq.

locals {
  reconcile_repairs = try(var.reconcile.repair, false)
}

# Not encrypted with the key: while the key is disabled, the schedule's input and the function's environment are unreadable.
module "reconcile_dlq" {
  source = "./modules/queue"
  count  = var.reconcile == null ? 0 : 1

  name              = "${var.name}-reconcile-dlq"
  message_retention = 1209600
  dlq               = null
}

module "reconcile" {
  source = "./modules/function"
  count  = var.reconcile == null ? 0 : 1

  name         = "${var.name}-reconcile"
  handler      = "reconcile.entry.handler"
  runtime      = var.runtime
  architecture = var.architecture
  memory       = var.reconcile.memory
  timeout      = var.reconcile.timeout
  key_arn      = module.key.arn
  logging      = local.function_logging

  permissions_boundary_arn = var.permissions_boundary_arn

  artifact = {
    path          = "${path.module}/${dirname(var.artifacts)}/reconcile-${var.architecture}-${var.runtime}.zip"
    sha256        = try(local.artifacts["reconcile-${var.architecture}-${var.runtime}"].sha256, null)
    build_command = "make package"
  }

  environment = {
    LOG_LEVEL         = var.logs.level
    METRICS_NAMESPACE = var.name
    ORIGINALS_BUCKET  = module.originals.name
    PROCESSED_BUCKET  = module.processed.name
    TABLE             = module.images.name
    UPLOADS_QUEUE_URL = module.uploads.url
  }

  # The schedule invokes without waiting. The next run continues a failed one; the DLQ's alarm notifies the operator.
  async = {
    failure_destination_arn = module.reconcile_dlq[0].arn
    max_age_seconds         = 3600
    max_attempts            = 1
  }

  permissions = merge(
    { compare = data.aws_iam_policy_document.reconcile.json },
    local.reconcile_repairs ? { repair = data.aws_iam_policy_document.reconcile_repair.json } : {},
  )
}

data "aws_iam_policy_document" "reconcile" {
  statement {
    sid       = "ListOriginals"
    actions   = ["s3:ListBucketVersions"]
    resources = [module.originals.arn]
  }

  statement {
    sid       = "ListDerivatives"
    actions   = ["s3:ListBucket"]
    resources = [module.processed.arn]
  }

  statement {
    sid       = "ReadRecords"
    actions   = ["dynamodb:Query", "dynamodb:Scan"]
    resources = [module.images.arn]
  }

  statement {
    sid       = "KeepProgress" # the key has two parts, so it is no derivative
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${module.processed.arn}/reconcile/progress.json"]
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.key.arn]
  }
}

data "aws_iam_policy_document" "reconcile_repair" {
  statement {
    sid       = "SendLostEvents"
    actions   = ["sqs:SendMessage"]
    resources = [module.uploads.arn]
  }

  statement {
    sid       = "DeleteOrphans" # key, version, variant: so no watermark, whose key has two parts
    actions   = ["s3:DeleteObject"]
    resources = ["${module.processed.arn}/?*/?*/?*"]
  }
}

resource "aws_scheduler_schedule" "reconcile" {
  count = var.reconcile == null ? 0 : 1

  name                = "${var.name}-reconcile"
  description         = "Compare originals, derivatives and records of the image pipeline ${var.name}"
  schedule_expression = var.reconcile.schedule
  kms_key_arn         = module.key.arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.reconcile[0].arn
    role_arn = aws_iam_role.reconcile_schedule[0].arn
    input    = jsonencode({ repair = var.reconcile.repair, grace_minutes = var.reconcile.grace_minutes })

    dead_letter_config {
      arn = module.reconcile_dlq[0].arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 5
    }
  }

  depends_on = [aws_iam_role_policy.reconcile_schedule]
}

resource "aws_iam_role" "reconcile_schedule" {
  count = var.reconcile == null ? 0 : 1

  name                 = "${var.name}-reconcile-schedule-${var.region}"
  description          = "Allow the schedule ${var.name}-reconcile to invoke its function"
  assume_role_policy   = data.aws_iam_policy_document.reconcile_schedule_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "reconcile_schedule_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    # The source is the schedule's group, not the schedule.
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:scheduler:${var.region}:${local.account_id}:schedule-group/default"]
    }
  }
}

resource "aws_iam_role_policy" "reconcile_schedule" {
  count = var.reconcile == null ? 0 : 1

  name   = "call"
  role   = aws_iam_role.reconcile_schedule[0].name
  policy = data.aws_iam_policy_document.reconcile_schedule[0].json
}

data "aws_iam_policy_document" "reconcile_schedule" {
  count = var.reconcile == null ? 0 : 1

  statement {
    sid       = "Call"
    actions   = ["lambda:InvokeFunction"]
    resources = [module.reconcile[0].arn]
  }

  statement {
    sid       = "KeepFailedInvocations"
    actions   = ["sqs:SendMessage"]
    resources = [module.reconcile_dlq[0].arn]
  }

  statement {
    sid       = "UseKey" # the schedule's own input is encrypted
    actions   = ["kms:Decrypt"]
    resources = [module.key.arn]
  }
}
