output "arn" {
  description = "ARN of the queue, known at plan. References to it wait for the queue."
  value       = local.arn
  depends_on  = [aws_sqs_queue.this]
}

output "dlq_arn" {
  description = "ARN of the DLQ. Null without one."
  value       = var.dlq == null ? null : local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the DLQ. Null without one."
  value       = var.dlq == null ? null : local.dlq_name
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_url" {
  description = "URL of the DLQ. Null without one."
  value       = one(aws_sqs_queue.dlq[*].url)
}

output "name" {
  description = "Name of the queue."
  value       = var.name
  depends_on  = [aws_sqs_queue.this]
}

output "static_arn" {
  description = "Same ARN, without waiting for the queue: for policies of resources that the queue depends on, such as its key."
  value       = local.arn
}

output "url" {
  description = "URL of the queue, for programs that send and receive."
  value       = aws_sqs_queue.this.url
}
