output "alarm_arns" {
  description = "ARNs of the alarms, by their names without the module's prefix."
  value       = local.alarm_arns
}

output "budget_name" {
  description = "Name of the budget. Null without one."
  value       = one(aws_budgets_budget.this[*].name)
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "publishers" {
  description = "Services that publish to the topics in `alarm_topic_arns`. Their policies must allow them; `publishers` of the module `topic` takes this value. Known at plan."
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
  description = "Name of the schema registry. Null without one."
  value       = one(aws_schemas_registry.this[*].name)
}
