# Trust and permissions of the roles, as the real provider renders them. Offline: a plan of new resources makes no
# request.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_resource {
  target          = aws_iam_openid_connect_provider.github
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
}

variables {
  name         = "photos"
  region       = "eu-west-1"
  repository   = "octo-org@1/photos@2"
  state_bucket = "octo-org-state"
}

run "trust_is_limited_to_repository_and_environment" {
  command = plan

  assert {
    condition = alltrue([
      for role, subjects in {
        plan  = jsonencode(["repo:octo-org@1/photos@2:pull_request", "repo:octo-org@1/photos@2:ref:refs/heads/main"])
        apply = jsonencode("repo:octo-org@1/photos@2:environment:production")
      } :
      jsondecode(aws_iam_role.this[role].assume_role_policy).Statement == jsondecode(jsonencode([{
        Effect    = "Allow"
        Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = jsondecode(subjects)
          }
        }
      }]))
    ])
    error_message = "Other subjects may assume a role: ${jsonencode({ for name, role in aws_iam_role.this : name => role.assume_role_policy })}"
  }
}

run "plan_role_writes_only_plans" {
  command = plan

  assert {
    condition     = [for key, _ in aws_iam_role_policy_attachment.this : key if startswith(key, "plan/")] == ["plan/read"]
    error_message = "The plan role may only have the policy read: ${join(", ", keys(aws_iam_role_policy_attachment.this))}"
  }

  assert {
    condition = alltrue([
      for action in flatten([for statement in jsondecode(aws_iam_policy.this["read"].policy).Statement : statement.Action]) :
      action == "kms:Decrypt" || can(regex(":(GET$|Describe|Get|List|Validate|View)", action))
    ])
    error_message = "The policy read contains an action that writes: ${aws_iam_policy.this["read"].policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.state["plan"].policy).Statement : statement.Resource if statement.Action == "s3:PutObject"
    ] == ["arn:aws:s3:::octo-org-state/photos/eu-west-1/plans/*"]
    error_message = "The plan role may only write plans: ${aws_iam_role_policy.state["plan"].policy}"
  }
}

run "plan_role_decrypts_settings_but_no_image" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.this["read"].policy).Statement : [statement.Resource, statement.Condition]
      if contains(flatten([statement.Action]), "kms:Decrypt")
      ] == [[
        "arn:aws:kms:eu-west-1:123456789012:key/*",
        {
          StringEquals = {
            "aws:ResourceTag/Application" = "photos"
            "kms:ViaService"              = [for service in ["events", "lambda", "scheduler", "states"] : "${service}.eu-west-1.amazonaws.com"]
          }
        },
    ]]
    error_message = "The plan role may use kms:Decrypt only through events, lambda, scheduler and states: ${aws_iam_policy.this["read"].policy}"
  }
}

run "changes_are_limited_to_the_pipelines_name" {
  command = plan

  assert {
    condition = alltrue([
      for arn in flatten([for name, service in local.services : service.arns if !contains(["api", "default_bus", "firewall", "logs", "unnamed"], name)]) :
      can(regex("[:/]photos(-|/|\\*|$)", arn))
    ])
    error_message = "Resources without the pipeline's name can be changed: ${jsonencode(local.services)}"
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.this : !can(regex("\"[a-z]+:[A-Za-z]*\\*", policy.policy))])
    error_message = "An action has a wildcard."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.this : length(jsonencode(jsondecode(policy.policy))) <= 6144])
    error_message = "IAM limits policies to 6,144 characters: ${jsonencode({ for name, policy in aws_iam_policy.this : name => length(jsonencode(jsondecode(policy.policy))) })}"
  }
}

run "roles_require_the_boundary" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.this["govern"].policy).Statement : statement.Condition
      if contains(flatten([statement.Action]), "iam:CreateRole") || contains(flatten([statement.Action]), "iam:PutRolePolicy")
    ] == [{ StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::123456789012:policy/deployment/photos-boundary-eu-west-1" } }]
    error_message = "Roles can be created without the boundary: ${aws_iam_policy.this["govern"].policy}"
  }

  assert {
    condition     = !strcontains(aws_iam_policy.this["govern"].policy, "DeleteRolePermissionsBoundary")
    error_message = "The boundary can be removed from a role."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.this : role.path == "/deployment/" && !can(regex("^arn:aws:iam::[0-9]+:role/photos-", "arn:aws:iam::123456789012:role${role.path}${role.name}"))
    ])
    error_message = "The deploying roles can change themselves."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.boundary.policy, "iam:") && length(jsonencode(jsondecode(aws_iam_policy.boundary.policy))) <= 6144
    error_message = "The boundary allows a role to change roles, or is longer than IAM allows: ${length(aws_iam_policy.boundary.policy)}."
  }
}

run "roles_cannot_read_or_delete_images" {
  command = plan

  assert {
    condition = alltrue([
      for statement in flatten([for policy in concat(values(aws_iam_policy.this), values(aws_iam_role_policy.state)) : jsondecode(policy.policy).Statement]) :
      alltrue([for arn in flatten([statement.Resource]) : can(regex("^arn:aws:s3:::(octo-org-state/photos/eu-west-1/|photos-try-page-123456789012-eu-west-1/|photos-processed-123456789012-eu-west-1/watermarks/)", arn))])
      if length(setintersection(flatten([statement.Action]), ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"])) > 0
    ])
    error_message = "Images can be read, changed or deleted."
  }
}

run "existing_identity_provider_is_used" {
  command = plan

  variables {
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/there-already"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && strcontains(aws_iam_role.this["plan"].assume_role_policy, "oidc-provider/there-already")
    error_message = "A second identity provider is created."
  }
}

run "repository_has_no_wildcards" {
  command         = plan
  expect_failures = [var.repository]

  variables {
    repository = "octo-org/*"
  }
}
