# In:         images, from anyone with permission to write to the bucket.
# Out:        object events ("Object Created" and "Object Deleted"), to the account's default event bus.
# On failure: S3 delivers to EventBridge at least once. The uploader repeats an upload that failed.

locals {
  originals_name = "${var.name}-originals-${local.bucket_suffix}"
}

module "originals" {
  source = "./modules/bucket"

  name          = local.originals_name
  key_arn       = module.key.arn
  versioned     = true
  eventbridge   = true
  access_log    = var.access_log
  force_destroy = var.force_destroy

  retention = {
    noncurrent_days = var.originals.noncurrent_days
  }

  # The try page (try_page.tf) posts large files directly to the bucket, so its origin is included.
  cors = [
    for origins in [concat(var.originals.cors_origins, local.try_page_origins)] : {
      allowed_origins = origins
      allowed_methods = ["POST", "PUT"]
      allowed_headers = ["*"] # a PUT's Content-Type, signatures, checksums, metadata; S3 requires credentials in any case
      expose_headers  = ["ETag", "Location", "x-amz-id-2", "x-amz-request-id", "x-amz-version-id"]
    } if length(origins) > 0
  ]
}
