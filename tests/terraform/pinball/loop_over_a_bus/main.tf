# A function gets the events that it sends, over two buses.
resource "aws_cloudwatch_event_bus" "near" {
  name = "loop-near"
}

resource "aws_cloudwatch_event_bus" "far" {
  name = "loop-far"
}

resource "aws_cloudwatch_event_rule" "near" {
  name           = "loop-near"
  event_bus_name = aws_cloudwatch_event_bus.near.name
  event_pattern  = jsonencode({ source = [{ prefix = "work" }] })
}

resource "aws_cloudwatch_event_rule" "far" {
  name           = "loop-far"
  event_bus_name = aws_cloudwatch_event_bus.far.name
  event_pattern  = jsonencode({ source = [{ prefix = "work" }] })
}

resource "aws_cloudwatch_event_target" "near" {
  rule           = aws_cloudwatch_event_rule.near.name
  event_bus_name = aws_cloudwatch_event_bus.near.name
  arn            = aws_cloudwatch_event_bus.far.arn

  dead_letter_config {
    arn = module.jobs.dlq_arn
  }
}

resource "aws_cloudwatch_event_target" "far" {
  rule           = aws_cloudwatch_event_rule.far.name
  event_bus_name = aws_cloudwatch_event_bus.far.name
  arn            = module.jobs.arn

  dead_letter_config {
    arn = module.jobs.dlq_arn
  }
}

module "jobs" {
  source = "../kept_queue"
  name   = "loop-over-a-bus-jobs"
}

module "worker" {
  source = "../worker"
  name   = "loop-over-a-bus-worker"
  queues = { jobs = module.jobs.arn }

  policies = {
    own = jsonencode({
      Version = "2012-10-17"
      Statement = {
        Effect    = "Allow"
        Action    = "events:PutEvents"
        Resource  = "arn:aws:events:eu-central-1:123456789012:event-bus/loop-near"
        Condition = { StringEquals = { "events:source" = "worker" } }
      }
    })
  }
}
