output "alias_arn" {
  description = "ARN of the alias `live`. Null without SnapStart and provisioned concurrency."
  value       = one(aws_lambda_alias.live[*].arn)
}

output "arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "invoke_arn" {
  description = "ARN for callers: the alias `live` if there is one, otherwise the function."
  value       = local.invoke_arn
}

output "log_group_arn" {
  description = "ARN of the log group, built from its name, so the key's policy can contain it before it exists."
  value       = local.log_group_arn
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of the function's role."
  value       = aws_iam_role.this.name
}

output "timeout" {
  description = "Timeout of the function in seconds, for the visibility timeout of its queue."
  value       = var.timeout
}

output "version" {
  description = "The published version; $LATEST without an alias."
  value       = aws_lambda_function.this.version
}
