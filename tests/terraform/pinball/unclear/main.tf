# The function's permissions are unknown at plan, except that they refer to a queue.
module "worker" {
  source = "../worker"
  name   = "unclear-worker"

  policies = {
    own = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.this.arn }]
    })
  }
}

resource "aws_sqs_queue" "this" {
  name = "unclear"
}
