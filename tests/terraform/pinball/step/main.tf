# A queue, and a function that takes from it and sends to another queue.
variable "name" {
  type = string
}

variable "next" {
  type = string
}

module "jobs" {
  source = "../kept_queue"
  name   = var.name
}

module "worker" {
  source = "../worker"
  name   = "${var.name}-worker"
  queues = { jobs = module.jobs.arn }

  policies = {
    own = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = ["arn:aws:sqs:eu-central-1:123456789012:${var.next}"]
      }]
    })
  }
}
