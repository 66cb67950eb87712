# Two roles for GitHub Actions: one that plans and cannot change anything, and one that applies, only for jobs of one
# environment. No access key is stored: AWS gives a session to a job that GitHub's token identifies.

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  issuer     = "token.actions.githubusercontent.com"

  provider_arn = var.oidc_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.oidc_provider_arn

  # Subjects that may assume a role. They are exact: a wildcard would allow every branch.
  subjects = {
    plan  = ["repo:${var.repository}:pull_request", "repo:${var.repository}:ref:refs/heads/${var.branch}"]
    apply = ["repo:${var.repository}:environment:${var.environment}"]
  }

  # The path separates these roles from the pipeline's roles, which have none.
  path = "/deployment/"

  policies = {
    govern = data.aws_iam_policy_document.govern.minified_json
    read   = data.aws_iam_policy_document.read.minified_json
    write  = data.aws_iam_policy_document.write.minified_json
  }

  attached = { plan = ["read"], apply = ["govern", "read", "write"] }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "this" {
  for_each = local.subjects

  name               = "github-${var.name}-${each.key}-${var.region}"
  path               = local.path
  description        = "Allow GitHub Actions to ${each.key} the pipeline ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = each.value
    }
  }
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name        = "github-${var.name}-${each.key}-${var.region}"
  path        = local.path
  description = "Permissions to ${each.key} the pipeline ${var.name}"
  policy      = each.value

  lifecycle {
    precondition {
      condition     = length(each.value) <= 6144
      error_message = "The policy ${each.key} has ${length(each.value)} characters, but IAM allows 6,144: shorten `name`."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = merge([for role, names in local.attached : { for name in names : "${role}/${name}" => { role = role, policy = name } }]...)

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}

resource "aws_iam_role_policy" "state" {
  for_each = local.subjects

  name   = "state"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.state[each.key].json
}
