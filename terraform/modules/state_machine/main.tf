data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id

  # Built from names: the policies of the state machine's role and of the key contain these ARNs.
  arn           = "arn:${local.partition}:states:${local.region}:${local.account_id}:stateMachine:${var.name}"
  log_group     = "/aws/vendedlogs/states/${var.name}"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group}"
}

resource "aws_sfn_state_machine" "this" {
  name       = var.name
  type       = var.type
  role_arn   = aws_iam_role.this.arn
  definition = var.definition

  encryption_configuration {
    type                              = "CUSTOMER_MANAGED_KMS_KEY"
    kms_key_id                        = var.key_arn
    kms_data_key_reuse_period_seconds = 300
  }

  logging_configuration {
    level                  = var.logging.level
    include_execution_data = var.logging.include_execution_data
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = var.tracing
  }

  tags = var.tags

  # Step Functions checks the role's permission to deliver logs when it creates the state machine.
  depends_on = [aws_iam_role_policy.runtime, aws_iam_role_policy.permissions]
}

# With this prefix, the log group needs no entry in the account's log resource policy, whose size is limited.
resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  kms_key_id        = var.key_arn
  retention_in_days = var.logging.retention_days

  tags = var.tags
}
