output "alarm_arns" {
  description = "ARNs of the alarms, by the part of their names after the module's own."
  value       = local.alarm_arns
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "query_ids" {
  description = "Ids of the saved queries, by name."
  value       = { for name, query in aws_cloudwatch_query_definition.this : name => query.query_definition_id }
}
