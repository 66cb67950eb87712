# In:         batches of object events, from the queue `uploads`.
# Out:        derivatives, to the processed bucket; one outcome event per image, to the bus (5_announce.tf).
# On failure: only the failed messages return to the queue; after five deliveries they go to its DLQ.

module "processed" {
  source = "./modules/bucket"

  name          = "${var.name}-processed-${local.bucket_suffix}"
  key_arn       = module.key.arn
  versioned     = false # a derivative can be made again from its original
  eventbridge   = var.processed.events
  access_log    = var.access_log
  force_destroy = var.force_destroy
  retention     = {}
}

locals {
  # Lambda's filter is never stricter than INFO: it treats lines without a level (metrics, uncaught errors) as INFO.
  # The functions' own loggers drop lines below var.logs.level.
  function_logging = { level = var.logs.level == "DEBUG" ? "DEBUG" : "INFO", retention_days = var.logs.retention_days }

  artifacts = try(jsondecode(file("${path.module}/${var.artifacts}")), {})

  # A watermark image is stored in the bucket of the derivatives under its hash, so another image changes the recipe.
  watermarks = {
    for path in distinct([for v in var.variants : v.watermark.image if try(v.watermark.image, null) != null]) :
    path => "watermarks/${filesha256(path)}"
  }

  # Unset attributes are left out: the environment of a function is limited to 4 KB.
  variants = [
    for v in var.variants : { for name, value in merge(v, { watermark = local.variant_watermarks[v.name] }) : name => value if value != null }
  ]

  variant_watermarks = {
    for v in var.variants : v.name => v.watermark == null ? null : {
      for name, value in merge(v.watermark, { image = v.watermark.image == null ? null : aws_s3_object.watermark[v.watermark.image].key }) :
      name => value if value != null
    }
  }
}

resource "aws_s3_object" "watermark" {
  for_each = local.watermarks

  bucket = module.processed.name
  key    = each.value
  source = each.key

  lifecycle {
    create_before_destroy = true # the function uses the previous image until its own settings change
  }
}

module "process_image" {
  source = "./modules/function"

  name         = "${var.name}-process-image"
  handler      = "process_image.entry.handler"
  runtime      = var.runtime
  architecture = var.architecture
  memory       = var.process_image.memory
  timeout      = var.process_image.timeout
  key_arn      = module.key.arn
  tracing      = var.tracing
  logging      = local.function_logging

  permissions_boundary_arn = var.permissions_boundary_arn

  artifact = {
    path          = "${path.module}/${dirname(var.artifacts)}/process_image-${var.architecture}-${var.runtime}.zip"
    sha256        = try(local.artifacts["process_image-${var.architecture}-${var.runtime}"].sha256, null)
    build_command = var.runtime == "python3.13" ? "make package" : "make package PACKAGE='--arch ${var.architecture} --python ${trimprefix(var.runtime, "python")}'"
  }

  environment = {
    EVENT_BUS                    = module.bus.name
    LOG_LEVEL                    = var.logs.level
    MAX_BYTES                    = var.limits.max_bytes
    MAX_FRAMES                   = var.limits.max_frames
    MAX_MEMORY                   = var.limits.max_memory
    MAX_METADATA_BYTES           = var.limits.max_metadata_bytes
    MAX_PIXELS                   = var.limits.max_pixels
    MAX_SCAN_MEGAPIXELS          = var.limits.max_scan_megapixels
    MAX_SECONDS                  = var.limits.max_seconds
    POWERTOOLS_METRICS_NAMESPACE = var.name
    POWERTOOLS_SERVICE_NAME      = "process_image"
    PROCESSED_BUCKET             = module.processed.name
    VARIANTS                     = jsonencode(local.variants)
  }

  event_sources = {
    uploads = {
      arn             = module.uploads.arn
      batch_size      = var.process_image.batch_size
      max_concurrency = var.process_image.max_concurrency
    }
  }

  permissions = {
    pipeline = data.aws_iam_policy_document.process_image.json
  }
}

data "aws_iam_policy_document" "process_image" {
  statement {
    sid       = "ReadOriginals"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${module.originals.arn}/*"]
  }

  statement {
    sid       = "DistinguishMissingFromForbidden" # without it S3 answers 403 instead of 404
    actions   = ["s3:ListBucket"]
    resources = [module.originals.arn, module.processed.arn]
  }

  statement {
    sid       = "ReadDerivativesAndWatermarks"
    actions   = ["s3:GetObject"]
    resources = ["${module.processed.arn}/*"]
  }

  statement {
    sid       = "KeepDerivatives" # key/version/variant; watermarks have two parts
    actions   = ["s3:DeleteObject", "s3:PutObject"]
    resources = ["${module.processed.arn}/?*/?*/?*"]
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.key.arn]
  }

  statement {
    sid       = "Announce"
    actions   = ["events:PutEvents"]
    resources = [module.bus.arn]

    # EventBridge always sets this key; emulators may not.
    condition {
      test     = "StringEqualsIfExists"
      variable = "events:source"
      values   = ["darkroom"]
    }
  }
}
