output "arn" {
  description = "ARN of the queue, known before the queue is made; what refers to it waits for the queue."
  value       = local.arn
  depends_on  = [aws_sqs_queue.this]
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue, or null."
  value       = var.dlq == null ? null : local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the dead-letter queue, or null."
  value       = var.dlq == null ? null : local.dlq_name
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_url" {
  description = "URL of the dead-letter queue, or null."
  value       = one(aws_sqs_queue.dlq[*].url)
}

output "name" {
  description = "Name of the queue."
  value       = var.name
  depends_on  = [aws_sqs_queue.this]
}

output "static_arn" {
  description = "The same ARN without waiting for the queue: for the policies of what the queue itself needs, such as its key."
  value       = local.arn
}

output "url" {
  description = "URL of the queue, to which programs send and from which they receive."
  value       = aws_sqs_queue.this.url
}
