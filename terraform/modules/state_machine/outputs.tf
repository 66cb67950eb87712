output "arn" {
  description = "ARN of the state machine; whoever uses it waits until it exists."
  value       = local.arn
  depends_on  = [aws_sfn_state_machine.this]
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
  description = "Name of the state machine; whoever uses it waits until it exists."
  value       = aws_sfn_state_machine.this.name
}

output "role_arn" {
  description = "ARN of the state machine's role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of the state machine's role."
  value       = aws_iam_role.this.name
}

output "static_arn" {
  description = "The same as `arn` without waiting: for the policies of what the state machine itself needs, such as its key."
  value       = local.arn
}
