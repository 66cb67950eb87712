# A function takes from a queue without a dead-letter queue.
resource "aws_sqs_queue" "this" {
  name = "consumer"
}

module "worker" {
  source = "../worker"
  name   = "consumer-worker"
  queues = { jobs = aws_sqs_queue.this.arn }
}
