data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
}

# Role with which API Gateway calls the services of the integrations.
resource "aws_iam_role" "this" {
  # Roles are global, APIs are regional: with the region in its name, a role is unique to its deployment.
  name                 = "${var.name}-${local.region}"
  description          = "Permissions of API ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn

  tags = var.tags

  lifecycle {
    precondition {
      condition     = length("${var.name}-${local.region}") <= 64
      error_message = "The role's name ${var.name}-${local.region} has ${length("${var.name}-${local.region}")} characters, but IAM allows 64: shorten `name`."
    }
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "permissions" {
  for_each = var.permissions

  name   = each.key
  role   = aws_iam_role.this.name
  policy = each.value
}
