# Two roles for GitHub Actions: one that plans and can change nothing, one that applies and that only jobs of one
# environment get. No key is stored anywhere: GitHub says who asks, and AWS lends a session for it.

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

  # Who may take on which role: exact subjects, as a wildcard would admit what anybody pushes.
  subjects = {
    plan  = ["repo:${var.repository}:pull_request", "repo:${var.repository}:ref:refs/heads/${var.branch}"]
    apply = ["repo:${var.repository}:environment:${var.environment}"]
  }

  # Whatever the pipeline's roles are called, these two are none of them: no role of theirs has a path.
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
  description        = "Lets GitHub Actions ${each.key} the pipeline ${var.name}"
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
  description = "What Terraform needs to ${each.key} the pipeline ${var.name}"
  policy      = each.value

  lifecycle {
    precondition {
      condition     = length(each.value) <= 6144
      error_message = "The policy ${each.key} has ${length(each.value)} characters, IAM takes 6,144: shorten `name`."
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
