output "api_keys" {
  description = "The API keys by name: `id`, which is what the API calls the caller by, and the secret `value`."
  value       = { for name, key in aws_api_gateway_api_key.this : name => { id = key.id, value = key.value } }
  sensitive   = true
}

output "arn" {
  description = "ARN of the stage, as WAF and tags name it."
  value       = aws_api_gateway_stage.this.arn
}

output "execution_arn" {
  description = "ARN that policies allow `execute-api:Invoke` on: append /METHOD/PATH, or /* for all of it."
  value       = aws_api_gateway_stage.this.execution_arn
}

output "id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "log_group_arns" {
  description = "ARNs of the log groups of accesses and of failed executions, as patterns that are known before the API is made: the key's policy can name them. Empty without `logging`."
  value = var.logging == null ? [] : [
    local.access_log_group_arn,
    "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:API-Gateway-Execution-Logs_*/${var.stage}",
  ]
}

output "log_group_name" {
  description = "Name of the log group of accesses; null without `logging`."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}

output "name" {
  description = "Name of the API."
  value       = aws_api_gateway_rest_api.this.name
}

output "principal" {
  description = "Name, below $context, of what identifies the caller under the chosen authorization: `$context.PRINCIPAL` in a template, `context.PRINCIPAL` in a parameter. Known before the API is made, so the routes can use it."
  value       = local.principal
}

output "role_arn" {
  description = "ARN of the role that the integrations act with."
  value       = aws_iam_role.this.arn
}

output "stage" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.this.stage_name
}

output "url" {
  description = "Where the API answers, without a slash at the end."
  value       = aws_api_gateway_stage.this.invoke_url
}
