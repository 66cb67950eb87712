data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id

  # Built from names: the role's policies contain these ARNs, and the function depends on the role.
  arn           = "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${var.name}"
  log_group     = "/aws/lambda/${var.name}"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group}"

  # Provisioned concurrency and SnapStart need a published version. An alias gives it a constant name.
  aliased    = var.snap_start || var.concurrency.provisioned != null
  invoke_arn = local.aliased ? aws_lambda_alias.live[0].arn : aws_lambda_function.this.arn

  # Bytes of all names and values; length() counts characters.
  environment_size = length(base64encode(join("", concat(keys(var.environment), values(var.environment))))) / 4 * 3

  # A missing file must fail with the precondition's message, not with an error of the hash function.
  built        = try(fileexists(var.artifact.path), false)
  built_sha256 = local.built ? filesha256(var.artifact.path) : "none"
  build_hint   = var.artifact.build_command == null ? "" : ", with: ${var.artifact.build_command}"
}

resource "aws_lambda_function" "this" {
  function_name                  = var.name
  role                           = aws_iam_role.this.arn
  handler                        = var.handler
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  filename                       = var.artifact.path
  source_code_hash               = local.built ? filebase64sha256(var.artifact.path) : null
  code_signing_config_arn        = var.artifact.code_signing_config_arn
  layers                         = var.layers
  memory_size                    = var.memory
  timeout                        = var.timeout
  publish                        = local.aliased
  reserved_concurrent_executions = coalesce(var.concurrency.reserved, -1)
  # Without an environment, Lambda does not store the key, so every plan would show a change.
  kms_key_arn = length(var.environment) > 0 || var.snap_start ? var.key_arn : null

  dynamic "environment" {
    for_each = length(var.environment) > 0 ? [var.environment] : []

    content {
      variables = environment.value
    }
  }

  ephemeral_storage {
    size = var.ephemeral_storage
  }

  logging_config {
    application_log_level = var.logging.level
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this.name
    system_log_level      = var.logging.system_level
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]

    content {
      security_group_ids = vpc_config.value.security_group_ids
      subnet_ids         = vpc_config.value.subnet_ids
    }
  }

  tags = var.tags

  # Lambda checks the role's permissions when it creates the function.
  depends_on = [aws_iam_role_policy.runtime, aws_iam_role_policy.permissions]

  lifecycle {
    precondition {
      condition     = local.built
      error_message = "The artifact ${var.artifact.path} of function ${var.name} does not exist: build it first${local.build_hint}."
    }

    precondition {
      condition     = !local.built || local.built_sha256 == lower(coalesce(var.artifact.sha256, "unknown"))
      error_message = "The artifact ${var.artifact.path} of function ${var.name} has the SHA-256 ${local.built_sha256}, but ${coalesce(var.artifact.sha256, "another")} is expected: build it again${local.build_hint}."
    }

    precondition {
      condition     = local.environment_size <= 4096
      error_message = "The environment of function ${var.name} has ${local.environment_size} bytes, but Lambda allows 4096: shorten one of ${join(", ", keys(var.environment))}."
    }
  }
}

# Created here, not by Lambda at the first invocation: so it is encrypted, has a retention, and is destroyed with the
# function.
resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  kms_key_id        = var.key_arn
  retention_in_days = var.logging.retention_days

  tags = var.tags
}

# Stop a function whose output becomes its input again after about 16 rounds.
resource "aws_lambda_function_recursion_config" "this" {
  function_name  = aws_lambda_function.this.function_name
  recursive_loop = "Terminate"
}

resource "aws_lambda_alias" "live" {
  count = local.aliased ? 1 : 0

  name             = "live"
  description      = "Version in use"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.concurrency.provisioned == null ? 0 : 1

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live[0].name
  provisioned_concurrent_executions = var.concurrency.provisioned
}
