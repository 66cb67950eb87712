# In:         S3's events, one a message.
# Out:        batches, to the function process_image.
# On failure: after five deliveries a message rests in uploads-dlq, as it came, for 14 days.

module "uploads" {
  source = "./modules/queue"

  name     = "${var.name}-uploads"
  key_arn  = module.key.arn
  consumer = { function_timeout = var.process_image.timeout }

  senders = {
    event_rules = { service = "events.amazonaws.com", source_arns = [module.uploads_rules.rule_arn_pattern] }
  }
}
