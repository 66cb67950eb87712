# What the module sets, read from a mocked provider: nothing is called.

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

run "nothing_in_it_is_public" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Public access must be blocked four ways."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket's owner must own every object, and ACLs must be off."
  }
}

run "what_is_overwritten_or_deleted_is_kept" {
  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must keep versions."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A filled bucket must not be destroyed unasked."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 7
    error_message = "Only unfinished uploads must be cleaned up."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : length(rule.expiration) + length(rule.noncurrent_version_expiration) + length(rule.transition) == 0])
    error_message = "No object must vanish or move unasked."
  }
}

run "s3_encrypts_without_a_key" {
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Without a key that of S3 must encrypt the objects."
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
    error_message = "A bucket key must keep the bill of KMS small."
  }
}

run "what_is_not_asked_for_is_not_made" {
  assert {
    condition     = length(aws_s3_bucket_notification.this) + length(aws_s3_bucket_cors_configuration.this) + length(aws_s3_bucket_logging.this) == 0
    error_message = "No notification, no CORS, no access log."
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
    error_message = "S3 must tell EventBridge."
  }

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == "logs-123456789012" && aws_s3_bucket_logging.this[0].target_prefix == "orders/"
    error_message = "The access log must go where asked for."
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
    error_message = "CORS must admit what was asked for and no more."
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy && aws_s3_bucket.this.tags == tomap({ team = "shop" })
    error_message = "force_destroy and tags must be the bucket's."
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
    error_message = "One rule must hold it all."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 1
    error_message = "Unfinished uploads must go after a day."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    error_message = "Replaced versions must go after 30 days."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].expired_object_delete_marker
    error_message = "Markers with nothing left to hide must go too."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].transition).storage_class == "INTELLIGENT_TIERING" && one(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].transition).days == 0
    error_message = "Objects must move to the storage class at once."
  }
}

run "objects_may_expire" {
  variables {
    retention = { expiration_days = 90 }
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration) == 1 && aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].days == 90
    error_message = "Objects must go after 90 days."
  }
}

run "outputs_name_the_bucket" {
  assert {
    condition     = output.name == "orders-123456789012" && output.arn == "arn:aws:s3:::orders-123456789012"
    error_message = "Name and ARN must be the bucket's."
  }

  assert {
    condition     = output.regional_domain_name == aws_s3_bucket.this.bucket_regional_domain_name
    error_message = "So must the domain name."
  }
}

run "versions_and_retention_may_be_off" {
  variables {
    retention = null
    versioned = false
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 0 && length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Neither must be configured."
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

run "values_that_s3_refuses_are_refused_first" {
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
