resource "aws_s3_bucket" "this" {
  bucket        = var.name
  force_destroy = var.force_destroy

  tags = var.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.key_arn != null

    apply_server_side_encryption_by_default {
      kms_master_key_id = var.key_arn
      sse_algorithm     = var.key_arn == null ? "AES256" : "aws:kms"
    }
  }
}

# Omitted if `versioned` is false: S3 can suspend versioning but not disable it. Destroying this resource suspends it.
resource "aws_s3_bucket_versioning" "this" {
  count = var.versioned ? 1 : 0

  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count = var.retention == null ? 0 : 1

  bucket = aws_s3_bucket.this.id

  rule {
    id     = "retention"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.retention.abort_multipart_days
    }

    dynamic "expiration" {
      for_each = var.retention.expiration_days[*]

      content {
        days = expiration.value
      }
    }

    # Remove a delete marker after all versions of its object are gone.
    dynamic "expiration" {
      for_each = var.retention.expiration_days == null && var.retention.noncurrent_days != null ? [true] : []

      content {
        expired_object_delete_marker = true
      }
    }

    dynamic "noncurrent_version_expiration" {
      for_each = var.retention.noncurrent_days[*]

      content {
        noncurrent_days = noncurrent_version_expiration.value
      }
    }

    dynamic "transition" {
      for_each = var.retention.transitions

      content {
        days          = transition.value
        storage_class = transition.key
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]

  lifecycle {
    precondition {
      condition     = var.versioned || var.retention.noncurrent_days == null
      error_message = "noncurrent_days ${var.retention.noncurrent_days == null ? 0 : var.retention.noncurrent_days} has no effect on a bucket without versions: set versioned to true, or remove noncurrent_days."
    }
  }
}

# A bucket has one notification configuration, and each write replaces it. EventBridge replaces the other kinds.
resource "aws_s3_bucket_notification" "this" {
  count = var.eventbridge ? 1 : 0

  bucket      = aws_s3_bucket.this.id
  eventbridge = true
}

resource "aws_s3_bucket_cors_configuration" "this" {
  count = length(var.cors) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this.id

  dynamic "cors_rule" {
    for_each = var.cors

    content {
      allowed_headers = cors_rule.value.allowed_headers
      allowed_methods = cors_rule.value.allowed_methods
      allowed_origins = cors_rule.value.allowed_origins
      expose_headers  = cors_rule.value.expose_headers
      max_age_seconds = cors_rule.value.max_age
    }
  }
}

resource "aws_s3_bucket_logging" "this" {
  count = var.access_log == null ? 0 : 1

  bucket        = aws_s3_bucket.this.id
  target_bucket = var.access_log.bucket
  target_prefix = var.access_log.prefix
}
