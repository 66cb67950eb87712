# A function writes to the bucket whose events lead to it.
resource "aws_s3_bucket" "this" {
  bucket = "loop"
}

resource "aws_s3_bucket_notification" "this" {
  bucket = aws_s3_bucket.this.id

  queue {
    queue_arn = module.jobs.arn
    events    = ["s3:ObjectCreated:*"]
  }
}

module "jobs" {
  source = "../kept_queue"
  name   = "loop-jobs"
}

module "worker" {
  source = "../worker"
  name   = "loop-worker"
  queues = { jobs = module.jobs.arn }

  policies = {
    own = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "${aws_s3_bucket.this.arn}/*" }]
    })
  }
}
