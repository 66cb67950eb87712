output "alarm_publishers" {
  description = "Services that publish to the topics in `observe.alarm_topic_arns`. Their policies must allow them; `publishers` of modules/topic takes this value."
  value = merge(
    one(module.observability[*].publishers),
    { for findings in module.findings : "findings" => { service = "events.amazonaws.com" } },
  )
}

output "api" {
  description = "The API: URL, id, log group, and the ARN on which policies allow callers `execute-api:Invoke`. Null without an API."
  value       = one([for api in module.api : { url = api.url, id = api.id, log_group = api.log_group_name, execution_arn = api.execution_arn }])
}

output "api_keys" {
  description = "API keys by name: the id, which is the owner of the images uploaded with the key, and the secret value."
  value       = one(module.api[*].api_keys)
  sensitive   = true
}

output "bus" {
  description = "Bus of the outcome events. To add a step, add a rule to it."
  value       = { name = module.bus.name, arn = module.bus.arn, archive_arn = module.bus.archive_arn }
}

output "dashboard" {
  description = "Name of the CloudWatch dashboard. Null without `observe`."
  value       = one(module.observability[*].dashboard_name)
}

output "dlqs" {
  description = "URLs of the DLQs, by their source. All of them are empty if there is no failure."
  value = merge(
    {
      uploads       = module.uploads.dlq_url
      record_image  = module.record_image_dlq.url
      notifications = module.notifications.dlq_url
      uploads_rules = module.uploads_rules.dlq_url
      bus           = module.bus.dlq_url
    },
    { for findings in module.findings : "findings" => findings.dlq_url },
    { for queue in module.reconcile_dlq : "reconcile" => queue.url },
  )
}

output "key_arn" {
  description = "ARN of the pipeline's KMS key. A queue encrypted with it can subscribe to the topic and be the target of a rule on the bus."
  value       = module.key.arn
}

output "notifications_topic_arn" {
  description = "ARN of the topic to subscribe to for a notification of each image."
  value       = module.notifications.arn
}

output "originals_bucket" {
  description = "Name of the bucket to upload images to."
  value       = module.originals.name
}

output "process_image" {
  description = "The function process_image: name, log group and role."
  value       = { name = module.process_image.name, log_group = module.process_image.log_group_name, role = module.process_image.role_name }
}

output "processed_bucket" {
  description = "Name of the bucket of the derivatives."
  value       = module.processed.name
}

output "reconcile" {
  description = "Function of the scheduled comparison: name and log group. Null without `reconcile`."
  value       = one([for function in module.reconcile : { name = function.name, log_group = function.log_group_name }])
}

output "record_image_arn" {
  description = "ARN of the workflow that records images and sends notifications."
  value       = module.record_image.arn
}

output "table" {
  description = "Name of the table of the images' records."
  value       = module.images.name
}

output "try_page" {
  description = "URL of the try page. Null without `api.try_page`."
  value       = one([for api in module.api : "${api.url}/index.html" if local.try_page])
}

output "uploads_queue_url" {
  description = "URL of the queue of the object events."
  value       = module.uploads.url
}
