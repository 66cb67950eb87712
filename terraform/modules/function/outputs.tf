output "alias_arn" {
  description = "ARN of the alias `live`, null unless SnapStart or provisioned concurrency asks for one."
  value       = one(aws_lambda_alias.live[*].arn)
}

output "arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "invoke_arn" {
  description = "ARN that callers should use: the alias `live` if there is one, else the function."
  value       = local.invoke_arn
}

output "log_group_arn" {
  description = "ARN of the log group, built from its name: the key's policy can name it before it exists."
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
  description = "Seconds after which a call is cut off: what the visibility timeout of its queue is measured by."
  value       = var.timeout
}

output "version" {
  description = "The published version, $LATEST unless there is an alias."
  value       = aws_lambda_function.this.version
}
