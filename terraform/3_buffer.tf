# In:         object events, one per message.
# Out:        batches, to the function process_image.
# On failure: after five deliveries a message is kept in uploads-dlq, unchanged, for 14 days.

module "uploads" {
  source = "./modules/queue"

  name     = "${var.name}-uploads"
  key_arn  = module.key.arn
  consumer = { function_timeout = var.process_image.timeout }

  senders = {
    event_rules = { service = "events.amazonaws.com", source_arns = [module.uploads_rules.rule_arn_pattern] }
  }
}
