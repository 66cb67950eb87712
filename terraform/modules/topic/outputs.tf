output "arn" {
  description = "ARN of the topic, known at plan. References to it wait for the topic."
  value       = local.arn
  depends_on  = [aws_sns_topic.this]
}

output "dlq_arn" {
  description = "ARN of the subscriptions' DLQ."
  value       = local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the subscriptions' DLQ."
  value       = local.dlq_name
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_url" {
  description = "URL of the subscriptions' DLQ."
  value       = aws_sqs_queue.dlq.url
}

output "name" {
  description = "Name of the topic."
  value       = var.name
  depends_on  = [aws_sns_topic.this]
}

output "static_arn" {
  description = "Same ARN, without waiting for the topic: for policies of resources that the topic or its subscriptions depend on, such as keys and queues."
  value       = local.arn
}
