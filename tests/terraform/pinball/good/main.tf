# Nothing is wrong here, although much is similar to a mistake.

# A bucket whose events lead to a function that writes to another bucket and calls nothing.
resource "aws_s3_bucket" "in" {
  bucket = "good-in"
}

resource "aws_s3_bucket" "out" {
  bucket = "good-out"
}

resource "aws_s3_bucket_notification" "in" {
  bucket      = aws_s3_bucket.in.id
  eventbridge = true
}

resource "aws_s3_bucket_notification" "out" {
  bucket      = aws_s3_bucket.out.id
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "uploads" {
  name          = "good-uploads"
  event_pattern = jsonencode({ source = ["aws.s3"], detail = { bucket = { name = [aws_s3_bucket.in.bucket] } } })
}

resource "aws_cloudwatch_event_target" "uploads" {
  rule = aws_cloudwatch_event_rule.uploads.name
  arn  = module.jobs.arn

  dead_letter_config {
    arn = module.jobs.dlq_arn
  }
}

module "jobs" {
  source = "../kept_queue"
  name   = "good-jobs"
}

module "worker" {
  source = "../worker"
  name   = "good-worker"
  queues = { jobs = module.jobs.arn }

  policies = {
    own = jsonencode({
      Version = "2012-10-17"
      Statement = [
        { Effect = "Allow", Action = "s3:Put*", Resource = "${aws_s3_bucket.out.arn}/*" },
        { Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.in.arn}/*" },
        { Effect = "Deny", Action = "lambda:InvokeFunction", Resource = "*" },
        {
          Effect    = "Allow"
          Action    = "events:PutEvents"
          Resource  = aws_cloudwatch_event_bus.this.arn
          Condition = { StringEquals = { "events:source" = "worker" } }
        },
      ]
    })
  }
}

# A bus that it writes to, and from which it gets other events.
resource "aws_cloudwatch_event_bus" "this" {
  name = "good"
}

resource "aws_cloudwatch_event_rule" "orders" {
  for_each = toset(["shop", "worker"])

  name           = "good-${each.key}"
  event_bus_name = aws_cloudwatch_event_bus.this.name
  event_pattern  = jsonencode({ source = [each.key] })
}

resource "aws_cloudwatch_event_target" "shop" {
  rule           = aws_cloudwatch_event_rule.orders["shop"].name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  arn            = module.jobs.arn

  dead_letter_config {
    arn = module.jobs.dlq_arn
  }
}

resource "aws_cloudwatch_event_target" "worker" {
  rule           = aws_cloudwatch_event_rule.orders["worker"].name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  arn            = aws_sns_topic.this.arn

  dead_letter_config {
    arn = module.jobs.dlq_arn
  }
}

resource "aws_sns_topic" "this" {
  name = "good"
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn      = aws_sns_topic.this.arn
  protocol       = "email"
  endpoint       = "me@example.com"
  redrive_policy = jsonencode({ deadLetterTargetArn = module.jobs.dlq_arn })
}
