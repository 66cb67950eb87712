# A rule's target has no dead-letter queue.
resource "aws_cloudwatch_event_rule" "this" {
  name                = "target"
  schedule_expression = "rate(1 day)"
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = module.worker.arn
}

module "worker" {
  source = "../worker"
  name   = "target-worker"
}
