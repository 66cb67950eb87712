output "archive_arn" {
  description = "ARN of the archive, null without one."
  value       = one(aws_cloudwatch_event_archive.this[*].arn)
}

output "arn" {
  description = "ARN of the bus; whoever uses it waits until the bus exists."
  value       = local.arn
  depends_on  = [aws_cloudwatch_event_bus.this]
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
  value       = local.dlq_name
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dlq.url
}

output "name" {
  description = "Name of the bus; whoever uses it waits until the bus exists."
  value       = local.created ? aws_cloudwatch_event_bus.this[0].name : var.name
}

output "role_arns" {
  description = "ARN of the role of each target that the module made one for, by `rule.target`."
  value       = { for key, role in aws_iam_role.target : key => role.arn }
}

output "rule_arn_pattern" {
  description = "Matches the ARNs of all the module's rules. It needs nothing but names: the policies of the key and of the targets can use it without a cycle."
  value       = local.rule_arn_pattern
}

output "rule_arns" {
  description = "ARN of each rule, known at plan. Where `rules` name a resource whose policy would name the rule, take `rule_arn_pattern`."
  value       = local.rule_arns
}

output "rule_names" {
  description = "Name of each rule, as metrics and alarms know it."
  value       = local.rule_names
}

output "static_arn" {
  description = "The same as `arn` without waiting: for the policies of what the bus itself needs, such as its key."
  value       = local.arn
}
