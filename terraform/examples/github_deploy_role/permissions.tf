# Permissions that Terraform needs for the root, by service, on resources with the pipeline's name.

locals {
  regional = "${var.region}:${local.account_id}"

  services = {
    alarms = {
      arns  = ["arn:${local.partition}:cloudwatch:${local.regional}:alarm:${var.name}-*", "arn:${local.partition}:cloudwatch::${local.account_id}:dashboard/${var.name}-${var.region}"]
      read  = ["cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"]
      write = ["cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
    }

    # API Gateway's ARNs have ids instead of names: these are all REST APIs of the region.
    api = {
      arns = [
        for resource in ["apikeys", "apikeys/*", "restapis", "restapis/*", "tags/*", "usageplans", "usageplans/*"] :
        "arn:${local.partition}:apigateway:${var.region}::/${resource}"
      ]
      read  = ["apigateway:GET"]
      write = ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
    }

    buckets = {
      arns = ["arn:${local.partition}:s3:::${var.name}-*-${local.account_id}-${var.region}"]
      read = [
        "s3:GetAccelerateConfiguration",
        "s3:GetBucketAcl",
        "s3:GetBucketCORS",
        "s3:GetBucketLogging",
        "s3:GetBucketNotification",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketRequestPayment",
        "s3:GetBucketTagging",
        "s3:GetBucketVersioning",
        "s3:GetBucketWebsite",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
      ]
      write = [
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketCORS",
        "s3:PutBucketLogging",
        "s3:PutBucketNotification",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
      ]
    }

    budgets = {
      arns  = ["arn:${local.partition}:budgets::${local.account_id}:budget/${var.name}-${var.region}"]
      read  = ["budgets:ListTagsForResource", "budgets:ViewBudget"]
      write = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"]
    }

    buses = {
      arns = [
        for resource in ["archive/${var.name}-*", "event-bus/${var.name}", "rule/${var.name}-*", "rule/${var.name}/*"] :
        "arn:${local.partition}:events:${local.regional}:${resource}"
      ]
      read = ["events:DescribeArchive", "events:DescribeEventBus", "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"]
      write = [
        "events:CreateArchive",
        "events:CreateEventBus",
        "events:DeleteArchive",
        "events:DeleteEventBus",
        "events:DeleteRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        "events:TagResource",
        "events:UntagResource",
        "events:UpdateArchive",
        "events:UpdateEventBus",
      ]
    }

    default_bus = {
      arns  = ["arn:${local.partition}:events:${local.regional}:event-bus/default"]
      read  = []
      write = ["events:CreateArchive"]
    }

    # Files of the try page, and watermarks. Neither role can read or delete an image.
    files = {
      arns  = ["arn:${local.partition}:s3:::${var.name}-try-page-${local.account_id}-${var.region}/*", "arn:${local.partition}:s3:::${var.name}-processed-${local.account_id}-${var.region}/watermarks/*"]
      read  = ["s3:GetObject", "s3:GetObjectTagging"]
      write = ["s3:DeleteObject", "s3:PutObject", "s3:PutObjectTagging"]
    }

    # The web ACL belongs to the account. API Gateway requires a permission in addition to WAF's.
    firewall = {
      arns  = ["arn:${local.partition}:apigateway:${var.region}::/restapis/*/stages/*", "arn:${local.partition}:wafv2:${local.regional}:regional/webacl/*"]
      read  = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
      write = ["apigateway:SetWebACL", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"]
    }

    functions = {
      arns = ["arn:${local.partition}:lambda:${local.regional}:function:${var.name}-*"]
      read = [
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:GetFunctionRecursionConfig",
        "lambda:ListTags",
        "lambda:ListVersionsByFunction",
      ]
      write = [
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:DeleteFunctionConcurrency",
        "lambda:DeleteFunctionEventInvokeConfig",
        "lambda:PutFunctionConcurrency",
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:PutFunctionRecursionConfig",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:UpdateFunctionEventInvokeConfig",
      ]
    }

    logs = {
      arns = flatten([
        for group in ["/aws/apigateway/${var.name}-*", "/aws/lambda/${var.name}-*", "/aws/vendedlogs/states/${var.name}-*", "API-Gateway-Execution-Logs_*"] :
        ["arn:${local.partition}:logs:${local.regional}:log-group:${group}"]
      ])
      read = ["logs:ListTagsForResource"]
      write = [
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DisassociateKmsKey",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
      ]
    }

    queues = {
      arns  = ["arn:${local.partition}:sqs:${local.regional}:${var.name}-*"]
      read  = ["sqs:GetQueueAttributes", "sqs:ListQueueTags"]
      write = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"]
    }

    roles = {
      arns = ["arn:${local.partition}:iam::${local.account_id}:role/${var.name}-*"]
      read = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
      # Creating a role and changing its permissions requires the boundary: see below.
      write = [
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:ListInstanceProfilesForRole",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRoleDescription",
      ]
    }

    schemas = {
      arns = ["arn:${local.partition}:schemas:${local.regional}:registry/${var.name}", "arn:${local.partition}:schemas:${local.regional}:schema/${var.name}/*"]
      read = ["schemas:DescribeRegistry", "schemas:DescribeSchema", "schemas:ListTagsForResource"]
      write = [
        "schemas:CreateRegistry",
        "schemas:CreateSchema",
        "schemas:DeleteRegistry",
        "schemas:DeleteSchema",
        "schemas:TagResource",
        "schemas:UntagResource",
        "schemas:UpdateRegistry",
        "schemas:UpdateSchema",
      ]
    }

    schedules = {
      arns  = ["arn:${local.partition}:scheduler:${local.regional}:schedule/default/${var.name}-*"]
      read  = ["scheduler:GetSchedule"]
      write = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"]
    }

    tables = {
      arns = ["arn:${local.partition}:dynamodb:${local.regional}:table/${var.name}-*"]
      read = ["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource"]
      write = [
        "dynamodb:CreateTable",
        "dynamodb:DeleteTable",
        "dynamodb:TagResource",
        "dynamodb:UntagResource",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTable",
      ]
    }

    topics = {
      arns  = ["arn:${local.partition}:sns:${local.regional}:${var.name}-*"]
      read  = ["sns:GetTopicAttributes", "sns:ListTagsForResource"]
      write = ["sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource"]
    }

    # Actions without an ARN, or with one that is unknown before the apply.
    unnamed = {
      arns = ["*"]
      read = [
        "cloudwatch:DescribeAlarms",
        "kms:ListAliases",
        "lambda:GetEventSourceMapping",
        "logs:DescribeLogGroups",
        "logs:DescribeQueryDefinitions",
        "sns:GetSubscriptionAttributes",
        "states:ValidateStateMachineDefinition",
      ]
      write = ["logs:DeleteQueryDefinition", "logs:PutQueryDefinition", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"]
    }

    workflows = {
      arns  = ["arn:${local.partition}:states:${local.regional}:stateMachine:${var.name}-*"]
      read  = ["states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource"]
      write = ["states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource", "states:UntagResource", "states:UpdateStateMachine"]
    }
  }

  mappings = "arn:${local.partition}:lambda:${local.regional}:event-source-mapping:*"
  keys     = "arn:${local.partition}:kms:${local.regional}:key/*"
  aliases  = "arn:${local.partition}:kms:${local.regional}:alias/${var.name}"
}

data "aws_iam_policy_document" "read" {
  dynamic "statement" {
    for_each = { for name, service in local.services : name => service if length(service.read) > 0 }

    content {
      actions   = statement.value.read
      resources = statement.value.arns
    }
  }

  statement {
    actions   = ["lambda:ListTags"]
    resources = [local.mappings]
  }

  statement {
    actions   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
    resources = [local.keys]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Application" # the root tags all its resources
      values   = [var.name]
    }
  }

  # These services decrypt their settings for the caller: rules and targets, environments, schedules, definitions. S3 is
  # not among them, so images stay unreadable.
  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.keys]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Application"
      values   = [var.name]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      # Documentation differs on the domain in China. A name that KMS does not use allows nothing.
      values = distinct([
        for name in setproduct(["events", "lambda", "scheduler", "states"], ["amazonaws.com", data.aws_partition.current.dns_suffix]) :
        "${name[0]}.${var.region}.${name[1]}"
      ])
    }
  }
}

data "aws_iam_policy_document" "write" {
  dynamic "statement" {
    for_each = local.services

    content {
      actions   = statement.value.write
      resources = statement.value.arns
    }
  }
}

# Roles, keys and event source mappings: names do not identify those of the pipeline, so conditions do.
data "aws_iam_policy_document" "govern" {
  # A role can only be created or extended with the boundary. Otherwise the deploying role could gain any permission
  # through a role it creates.
  statement {
    actions   = ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    resources = local.services.roles.arns

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [local.boundary_arn]
    }
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = local.services.roles.arns

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["apigateway.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"]
    }
  }

  statement {
    actions   = ["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"]
    resources = ["*"] # a mapping has no ARN before it is created

    condition {
      test     = "ArnLike"
      variable = "lambda:FunctionArn"
      values   = local.services.functions.arns
    }
  }

  statement {
    actions   = ["lambda:TagResource", "lambda:UntagResource"]
    resources = [local.mappings]
  }

  # A key without tags could be claimed by tagging it, so tag all keys of the account.
  statement {
    actions   = ["kms:CreateKey", "kms:TagResource"]
    resources = ["*"] # a key has no ARN before it is created

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Application"
      values   = [var.name]
    }

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Application"
      values   = [var.name]
    }
  }

  statement {
    actions = [
      "kms:CreateAlias",
      "kms:CreateGrant",
      "kms:Decrypt",
      "kms:DeleteAlias",
      "kms:EnableKeyRotation",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:PutKeyPolicy",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
      "kms:ScheduleKeyDeletion",
      "kms:UntagResource",
      "kms:UpdateAlias",
      "kms:UpdateKeyDescription",
    ]
    resources = [local.keys]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Application"
      values   = [var.name]
    }
  }

  statement {
    actions   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
    resources = [local.aliases]
  }
}

# The state, and the plans stored next to it until they are applied.
data "aws_iam_policy_document" "state" {
  for_each = {
    plan  = { read = ["terraform.tfstate"], write = ["plans/*"] }
    apply = { read = ["plans/*", "terraform.tfstate", "terraform.tfstate.tflock"], write = ["terraform.tfstate", "terraform.tfstate.tflock"] }
  }

  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]
  }

  statement {
    actions   = ["s3:GetObject"]
    resources = [for key in each.value.read : "arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/${var.region}/${key}"]
  }

  statement {
    actions   = ["s3:PutObject"]
    resources = [for key in each.value.write : "arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/${var.region}/${key}"]
  }

  dynamic "statement" {
    for_each = each.key == "apply" ? ["terraform.tfstate.tflock"] : []

    content {
      actions   = ["s3:DeleteObject"]
      resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/${var.region}/${statement.value}"]
    }
  }
}
