# Four functions, each handing on to the next by a queue: no one knows where a job is.
locals {
  names = ["hops-1", "hops-2", "hops-3", "hops-4"]
}

module "jobs" {
  source   = "../kept_queue"
  for_each = toset([for name in local.names : name])
  name     = each.key
}

module "last" {
  source = "../kept_queue"
  name   = "hops-last"
}

module "worker" {
  source   = "../worker"
  for_each = toset([for name in local.names : name])
  name     = "${each.key}-worker"
  queues   = { jobs = module.jobs[each.key].arn }

  policies = {
    own = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = ["arn:aws:sqs:eu-central-1:123456789012:${try(local.names[index(local.names, each.key) + 1], "hops-last")}"]
      }]
    })
  }
}
