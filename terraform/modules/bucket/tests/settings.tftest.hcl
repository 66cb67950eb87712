# Settings of the resources, with a mocked provider. Offline.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
}

variables {
  name = "orders-123456789012"
}

run "public_access_is_blocked" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four public access blocks must be on."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket's owner must own every object, and ACLs must be off."
  }
}

run "objects_are_kept_by_default" {
  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must keep versions."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A bucket with objects must not be destroyed by default."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 7
    error_message = "Only unfinished uploads may be removed by default."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : length(rule.expiration) + length(rule.noncurrent_version_expiration) + length(rule.transition) == 0])
    error_message = "No object may expire or move by default."
  }
}

run "s3_encrypts_without_a_key" {
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Without a key, S3's own key must encrypt the objects."
  }
}

run "a_key_encrypts_every_object" {
  variables {
    key_arn = "arn:aws:kms:eu-central-1:123456789012:key/orders"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.key_arn
    error_message = "The key must encrypt the objects."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled
    error_message = "A bucket key must reduce the requests to KMS."
  }
}

run "optional_resources_are_off_by_default" {
  assert {
    condition     = length(aws_s3_bucket_notification.this) + length(aws_s3_bucket_cors_configuration.this) + length(aws_s3_bucket_logging.this) == 0
    error_message = "Notification, CORS and access log must be off by default."
  }
}

run "options_reach_the_bucket" {
  variables {
    access_log    = { bucket = "logs-123456789012", prefix = "orders/" }
    eventbridge   = true
    force_destroy = true
    tags          = { team = "shop" }

    cors = [{
      allowed_origins = ["https://www.example.com"]
      allowed_methods = ["POST"]
      expose_headers  = ["ETag"]
    }]
  }

  assert {
    condition     = aws_s3_bucket_notification.this[0].eventbridge
    error_message = "S3 must send events to EventBridge."
  }

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == "logs-123456789012" && aws_s3_bucket_logging.this[0].target_prefix == "orders/"
    error_message = "The access log must have the given bucket and prefix."
  }

  assert {
    condition = jsonencode(one(aws_s3_bucket_cors_configuration.this[0].cors_rule)) == jsonencode({
      allowed_headers = []
      allowed_methods = ["POST"]
      allowed_origins = ["https://www.example.com"]
      expose_headers  = ["ETag"]
      id              = null
      max_age_seconds = 3600
    })
    error_message = "CORS must allow exactly the given requests."
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy && aws_s3_bucket.this.tags == tomap({ team = "shop" })
    error_message = "The bucket must have force_destroy and the tags."
  }
}

run "retention_becomes_one_rule" {
  variables {
    retention = {
      abort_multipart_days = 1
      noncurrent_days      = 30
      transitions          = { INTELLIGENT_TIERING = 0 }
    }
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this[0].rule) == 1 && aws_s3_bucket_lifecycle_configuration.this[0].rule[0].status == "Enabled"
    error_message = "One lifecycle rule must contain all settings."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 1
    error_message = "Unfinished uploads must be aborted after one day."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    error_message = "Replaced versions must be deleted after 30 days."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].expired_object_delete_marker
    error_message = "Delete markers without versions must be removed."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].transition).storage_class == "INTELLIGENT_TIERING" && one(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].transition).days == 0
    error_message = "Objects must move to the storage class immediately."
  }
}

run "objects_may_expire" {
  variables {
    retention = { expiration_days = 90 }
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration) == 1 && aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].days == 90
    error_message = "Objects must be deleted after 90 days."
  }
}

run "outputs_name_the_bucket" {
  assert {
    condition     = output.name == "orders-123456789012" && output.arn == "arn:aws:s3:::orders-123456789012"
    error_message = "Name and ARN must be those of the bucket."
  }

  assert {
    condition     = output.regional_domain_name == aws_s3_bucket.this.bucket_regional_domain_name
    error_message = "The domain name must be that of the bucket."
  }
}

run "versions_and_retention_can_be_off" {
  variables {
    retention = null
    versioned = false
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 0 && length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Versioning and lifecycle must not be configured."
  }
}

run "noncurrent_days_without_versions_are_refused" {
  command = plan

  variables {
    retention = { noncurrent_days = 30 }
    versioned = false
  }

  expect_failures = [aws_s3_bucket_lifecycle_configuration.this]
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    name             = "Orders"
    cors             = [{ allowed_origins = ["*"], allowed_methods = ["OPTIONS"] }]
    key_arn          = "arn:aws:kms:eu-central-1:123456789012:alias/orders"
    policy_documents = ["not JSON"]
    retention        = { transitions = { COLD = 1 } }
  }

  expect_failures = [
    var.name,
    var.cors,
    var.key_arn,
    var.policy_documents,
    var.retention,
  ]
}

run "a_name_with_a_reserved_prefix_is_refused" {
  command = plan

  variables {
    name = "sthree-orders"
  }

  expect_failures = [var.name]
}

run "a_name_with_a_reserved_suffix_is_refused" {
  command = plan

  variables {
    name = "orders--x-s3"
  }

  expect_failures = [var.name]
}
