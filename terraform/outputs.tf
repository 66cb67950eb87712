output "alarm_publishers" {
  description = "Who publishes to the topics in `observe.alarm_topic_arns`: what their policies must admit, as modules/topic takes it in `publishers`."
  value = merge(
    one(module.observability[*].publishers),
    { for findings in module.findings : "findings" => { service = "events.amazonaws.com" } },
  )
}

output "api" {
  description = "The API: where it answers, its id, its log group, what policies allow callers `execute-api:Invoke` on; null if there is none."
  value       = one([for api in module.api : { url = api.url, id = api.id, log_group = api.log_group_name, execution_arn = api.execution_arn }])
}

output "api_keys" {
  description = "The API keys by name: id, which is the owner of what is uploaded with it, and the secret value."
  value       = one(module.api[*].api_keys)
  sensitive   = true
}

output "bus" {
  description = "Bus that every image's outcome is announced on: add rules to it to do more."
  value       = { name = module.bus.name, arn = module.bus.arn, archive_arn = module.bus.archive_arn }
}

output "dashboard" {
  description = "Name of the CloudWatch dashboard; null if there is none."
  value       = one(module.observability[*].dashboard_name)
}

output "dlqs" {
  description = "Dead-letter queues by what ends up there, as URLs. All of them are empty while all is well."
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
  description = "KMS key of the pipeline. A queue that is encrypted with it can subscribe to the topic, and be the target of a rule on the bus."
  value       = module.key.arn
}

output "notifications_topic_arn" {
  description = "Topic to subscribe to."
  value       = module.notifications.arn
}

output "originals_bucket" {
  description = "Bucket to upload images to."
  value       = module.originals.name
}

output "try_page" {
  description = "URL of the page to try the API with; null if there is none."
  value       = one([for api in module.api : "${api.url}/index.html" if local.try_page])
}

output "process_image" {
  description = "The function: its name, log group and role."
  value       = { name = module.process_image.name, log_group = module.process_image.log_group_name, role = module.process_image.role_name }
}

output "processed_bucket" {
  description = "Bucket that holds the derivatives."
  value       = module.processed.name
}

output "reconcile" {
  description = "The scheduled comparison's function: its name and log group; null if there is none."
  value       = one([for function in module.reconcile : { name = function.name, log_group = function.log_group_name }])
}

output "record_image_arn" {
  description = "The workflow that records and notifies."
  value       = module.record_image.arn
}

output "table" {
  description = "Table of the images' records."
  value       = module.images.name
}

output "uploads_queue_url" {
  description = "Queue that uploads wait in."
  value       = module.uploads.url
}
