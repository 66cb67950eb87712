# In:         object events of the originals bucket, on the default bus.
# Out:        the same events, unchanged, to the queue `uploads`; an archive keeps them for reprocessing.
# On failure: an event that cannot be delivered goes to the rules' DLQ.

locals {
  # The contract's pattern has the type of the event. Terraform adds the bucket.
  object_patterns = {
    for type in ["object_created", "object_deleted"] :
    type => jsonencode(merge(jsondecode(file("${path.module}/../events/${type}/pattern.json")), {
      detail = { bucket = { name = [module.originals.name] } }
    }))
  }
}

module "uploads_rules" {
  source = "./modules/event_bus"

  name   = "default"
  prefix = "${var.name}-uploads"

  permissions_boundary_arn = var.permissions_boundary_arn

  archive = {
    retention_days = var.archive_days
    pattern = jsonencode({
      source = ["aws.s3"]
      detail = { bucket = { name = [module.originals.name] } }
    })
  }

  rules = {
    for type, pattern in local.object_patterns : replace(type, "_", "-") => {
      pattern = pattern
      targets = { uploads = { arn = module.uploads.arn } }
    }
  }
}
