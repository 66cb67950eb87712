# In:         one outcome event, from the bus.
# Out:        the version's item and the image's current item, to the table; one notification, to the topic.
# On failure: the original event is kept in record-image-dlq and can be redriven unchanged.

module "images" {
  source = "./modules/table"

  name          = "${var.name}-images"
  key_arn       = module.key.arn
  partition_key = { name = "image_id" }
  sort_key      = { name = "record" } # current, or version#…

  indexes = {
    # Current records of existing images with an owner, in the order of their uploads.
    by_owner = { partition_key = { name = "listed_owner" }, sort_key = { name = "listed_at" } }
    # Versions of an image, in the order of their events.
    by_sequencer = { partition_key = { name = "image_id" }, sort_key = { name = "sequencer" } }
  }

  deletion_protection = !var.force_destroy
}

module "notifications" {
  source = "./modules/topic"

  name    = "${var.name}-notifications"
  key_arn = module.key.arn
  tracing = var.tracing

  subscriptions = {
    for name, subscription in var.notifications : name => merge(subscription, {
      filter_policy = subscription.filter_policy == null ? null : jsonencode(subscription.filter_policy)
    })
  }
}

# Not encrypted with the key: the workflow must also reach this queue when table or topic fail because the key is disabled.
module "record_image_dlq" {
  source = "./modules/queue"

  name              = "${var.name}-record-image-dlq"
  message_retention = 1209600
  dlq               = null
}

module "record_image" {
  source = "./modules/state_machine"

  name    = "${var.name}-record-image"
  type    = var.workflow_type
  key_arn = module.key.arn
  tracing = var.tracing
  logging = { retention_days = var.logs.retention_days }

  permissions_boundary_arn = var.permissions_boundary_arn

  definition = templatefile("${path.module}/record_image.asl.json", {
    partition = local.partition
    table     = module.images.name
    topic_arn = module.notifications.arn
    dlq_url   = module.record_image_dlq.url
    retry     = jsonencode({ ErrorEquals = ["States.ALL"], IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3, JitterStrategy = "FULL" })
  })

  permissions = {
    record = data.aws_iam_policy_document.record_image.json
  }
}

data "aws_iam_policy_document" "record_image" {
  statement {
    sid       = "Record"
    actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = [module.images.arn]
  }

  statement {
    sid       = "Notify"
    actions   = ["sns:Publish"]
    resources = [module.notifications.arn]
  }

  statement {
    sid       = "KeepFailedEvents"
    actions   = ["sqs:SendMessage"]
    resources = [module.record_image_dlq.arn]
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.key.arn]
  }
}
