# A subscription has no dead-letter queue.
resource "aws_sns_topic" "this" {
  name = "subscription"
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn = aws_sns_topic.this.arn
  protocol  = "sqs"
  endpoint  = module.jobs.arn
}

module "jobs" {
  source = "../kept_queue"
  name   = "subscription-jobs"
}
