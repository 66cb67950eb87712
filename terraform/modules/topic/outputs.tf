output "arn" {
  description = "ARN of the topic, known before the topic is made; what refers to it waits for the topic."
  value       = local.arn
  depends_on  = [aws_sns_topic.this]
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue of the subscriptions."
  value       = local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the dead-letter queue of the subscriptions."
  value       = local.dlq_name
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_url" {
  description = "URL of the dead-letter queue of the subscriptions."
  value       = aws_sqs_queue.dlq.url
}

output "name" {
  description = "Name of the topic."
  value       = var.name
  depends_on  = [aws_sns_topic.this]
}

output "static_arn" {
  description = "The same ARN without waiting for the topic: for the policies of what the topic itself needs, such as its key and the queues that subscribe."
  value       = local.arn
}
