# In:         images, from whoever may write to the bucket.
# Out:        "Object Created" and "Object Deleted", to the account's default event bus.
# On failure: S3 delivers to EventBridge at least once; an upload that fails is the uploader's to repeat.

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

  # Of the page (try_page.tf), too: it posts large files straight into the bucket.
  cors = [
    for origins in [concat(var.originals.cors_origins, local.try_page_origins)] : {
      allowed_origins = origins
      allowed_methods = ["POST", "PUT"]
      allowed_headers = ["*"] # a PUT's Content-Type, signatures, checksums, metadata: S3 asks for credentials anyway
      expose_headers  = ["ETag", "Location", "x-amz-id-2", "x-amz-request-id", "x-amz-version-id"]
    } if length(origins) > 0
  ]
}
