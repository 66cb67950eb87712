# A function, what it may do, and the queues that it takes from.
variable "name" {
  type = string
}

variable "policies" {
  type    = map(string)
  default = {}
}

variable "queues" {
  type    = map(string)
  default = {}
}

locals {
  function_arn = aws_lambda_function.this.arn
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_iam_role_policy" "this" {
  for_each = var.policies

  role   = aws_iam_role.this.id
  policy = each.value
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  role          = aws_iam_role.this.arn
  handler       = "handler.handler"
  runtime       = "python3.13"
  s3_bucket     = "artifacts"
  s3_key        = "${var.name}.zip"
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = var.queues

  event_source_arn = each.value
  function_name    = local.function_arn
}

output "arn" {
  value = aws_lambda_function.this.arn
}
