# What the function may do shows once it is applied: before, only that it has to do with a queue.
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
