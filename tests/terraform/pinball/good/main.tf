# Nothing is wrong here, though much looks as if it were.

# A bucket whose events go to a function that writes to another bucket and invokes no function.
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
  source   = "../worker"
  name     = "good-worker"
  queues   = { jobs = module.jobs.arn }
  policies = { own = data.aws_iam_policy_document.worker.json }
}

data "aws_iam_policy_document" "worker" {
  statement {
    actions   = ["s3:Put*"]
    resources = ["${aws_s3_bucket.out.arn}/*"]
  }

  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.in.arn}/*"]
  }

  statement {
    effect    = "Deny"
    actions   = ["lambda:InvokeFunction"]
    resources = ["*"]
  }

  statement {
    actions   = ["events:PutEvents"]
    resources = [aws_cloudwatch_event_bus.this.arn]

    condition {
      test     = "StringEquals"
      variable = "events:source"
      values   = ["worker"]
    }
  }
}

# A bus that it publishes to and gets other events from.
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
