output "role_arn" {
  description = "ARN of the role that API Gateway writes logs with."
  value       = aws_iam_role.this.arn
}
