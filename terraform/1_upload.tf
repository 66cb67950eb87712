# In:         images, from whoever may write to the bucket.
# Out:        "Object Created" and "Object Deleted", to the account's default event bus.
# On failure: S3 delivers to EventBridge at least once; an upload that fails is the uploader's to repeat.

module "originals" {
  source = "./modules/bucket"

  name          = "${var.name}-originals-${local.account_id}"
  key_arn       = module.key.arn
  versioned     = true
  eventbridge   = true
  force_destroy = var.force_destroy

  retention = {
    noncurrent_days = var.originals.noncurrent_days
  }

  cors = length(var.originals.cors_origins) == 0 ? [] : [{
    allowed_origins = var.originals.cors_origins
    allowed_methods = ["POST", "PUT"]
  }]
}
