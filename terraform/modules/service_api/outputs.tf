output "api_keys" {
  description = "API keys by name: `id`, which is the caller's name for the API, and the secret `value`."
  value       = { for name, key in aws_api_gateway_api_key.this : name => { id = key.id, value = key.value } }
  sensitive   = true
}

output "arn" {
  description = "ARN of the stage, for WAF and tags."
  value       = aws_api_gateway_stage.this.arn
}

output "execution_arn" {
  description = "ARN for policies that allow `execute-api:Invoke`: append /METHOD/PATH, or /* for the whole API."
  value       = aws_api_gateway_stage.this.execution_arn
}

output "id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "log_group_arns" {
  description = "ARNs of the log groups of requests and of failed executions, as patterns that are known at plan, so the key's policy can contain them. Empty without `logging`."
  value = var.logging == null ? [] : [
    local.access_log_group_arn,
    "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:API-Gateway-Execution-Logs_*/${var.stage}",
  ]
}

output "log_group_name" {
  description = "Name of the log group of requests. Null without `logging`."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}

output "name" {
  description = "Name of the API."
  value       = aws_api_gateway_rest_api.this.name
}

output "principal" {
  description = "Variable below $context that identifies the caller for the chosen authorization: `$context.PRINCIPAL` in a template, `context.PRINCIPAL` in a parameter. Known at plan, so the routes can use it."
  value       = local.principal
}

output "role_arn" {
  description = "ARN of the role of the integrations."
  value       = aws_iam_role.this.arn
}

output "stage" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.this.stage_name
}

output "url" {
  description = "URL of the API, without a slash at the end."
  value       = aws_api_gateway_stage.this.invoke_url
}
