output "arn" {
  description = "ARN of the state machine. References to it wait for the state machine."
  value       = local.arn
  depends_on  = [aws_sfn_state_machine.this]
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
  description = "Name of the state machine. References to it wait for the state machine."
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
  description = "Same as `arn`, without waiting for the state machine: for policies of resources that it depends on, such as its key."
  value       = local.arn
}
