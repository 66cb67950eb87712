# In:         "Image Processed", "Image Rejected", "Image Deleted" and "Image Version Deleted", from process_image.
# Out:        the same events, to the workflow record_image and to any rule that you add; an archive keeps them.
# On failure: an event that cannot be delivered goes to the bus's DLQ.

module "bus" {
  source = "./modules/event_bus"

  name    = var.name
  key_arn = module.key.arn
  archive = { retention_days = var.archive_days }

  permissions_boundary_arn = var.permissions_boundary_arn

  # IAM limits the name of a role to 64 characters, so the rule of deleted versions has a short name.
  rules = {
    for rule, contract in {
      image-processed = "image_processed"
      image-rejected  = "image_rejected"
      image-deleted   = "image_deleted"
      version-deleted = "image_version_deleted"
      } : rule => {
      pattern = file("${path.module}/../events/${contract}/pattern.json")
      targets = { record = { arn = module.record_image.arn, role_actions = ["states:StartExecution"] } }
    }
  }
}
