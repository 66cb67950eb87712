output "alarm_arns" {
  description = "ARNs of the alarms, by the part of their names after the module's own."
  value       = local.alarm_arns
}

output "budget_name" {
  description = "Name of the budget; null if there is none."
  value       = one(aws_budgets_budget.this[*].name)
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "publishers" {
  description = "Who publishes to the topics in `alarm_topic_arns`: what their policies must admit, as the module `topic` takes it. It needs nothing but names."
  value = merge(
    { alarms = { service = "cloudwatch.amazonaws.com", source_arns = ["arn:${local.partition}:cloudwatch:${data.aws_region.current.id}:${local.account_id}:alarm:${var.name}-*"] } },
    { for budget in var.budget[*] : "budget" => { service = "budgets.amazonaws.com", source_arns = ["arn:${local.partition}:budgets::${local.account_id}:*"] } },
  )
}

output "query_ids" {
  description = "Ids of the saved queries, by name."
  value       = { for name, query in aws_cloudwatch_query_definition.this : name => query.query_definition_id }
}

output "registry_name" {
  description = "Name of the registry of schemas; null if there is none."
  value       = one(aws_schemas_registry.this[*].name)
}
