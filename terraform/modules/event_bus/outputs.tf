output "archive_arn" {
  description = "ARN of the archive. Null without one."
  value       = one(aws_cloudwatch_event_archive.this[*].arn)
}

output "arn" {
  description = "ARN of the bus. References to it wait for the bus."
  value       = local.arn
  depends_on  = [aws_cloudwatch_event_bus.this]
}

output "dlq_arn" {
  description = "ARN of the DLQ."
  value       = local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the DLQ."
  value       = local.dlq_name
}

output "dlq_url" {
  description = "URL of the DLQ."
  value       = aws_sqs_queue.dlq.url
}

output "name" {
  description = "Name of the bus. References to it wait for the bus."
  value       = local.created ? aws_cloudwatch_event_bus.this[0].name : var.name
}

output "role_arns" {
  description = "ARNs of the roles that the module created for targets, by `rule.target`."
  value       = { for key, role in aws_iam_role.target : key => role.arn }
}

output "rule_arn_pattern" {
  description = "Pattern that matches the ARNs of all rules of the module. It is built from names, so the policies of the key and the targets can use it without a cycle."
  value       = local.rule_arn_pattern
}

output "rule_arns" {
  description = "ARN of each rule, known at plan. To avoid a cycle, use `rule_arn_pattern` in the policy of a resource that `rules` refers to."
  value       = local.rule_arns
}

output "rule_names" {
  description = "Name of each rule, as in metrics and alarms."
  value       = local.rule_names
}

output "static_arn" {
  description = "Same as `arn`, without waiting for the bus: for policies of resources that the bus depends on, such as its key."
  value       = local.arn
}
