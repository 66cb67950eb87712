# The module's resources: the state machine and its log group.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:mocked" }
  }
}

variables {
  name       = "ship"
  key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  definition = "{\"StartAt\":\"Done\",\"States\":{\"Done\":{\"Type\":\"Succeed\"}}}"
}

run "default_is_express_and_encrypted" {
  assert {
    condition = (
      aws_sfn_state_machine.this.name == "ship" && output.name == "ship" &&
      aws_sfn_state_machine.this.type == "EXPRESS" &&
      aws_sfn_state_machine.this.definition == var.definition &&
      aws_sfn_state_machine.this.role_arn == aws_iam_role.this.arn
    )
    error_message = "The state machine differs from its settings."
  }
  assert {
    condition = (
      one(aws_sfn_state_machine.this.encryption_configuration).type == "CUSTOMER_MANAGED_KMS_KEY" &&
      one(aws_sfn_state_machine.this.encryption_configuration).kms_key_id == var.key_arn
    )
    error_message = "The executions are not encrypted with the key."
  }
  assert {
    condition     = one(aws_sfn_state_machine.this.tracing_configuration).enabled
    error_message = "Executions are not traced."
  }
}

run "errors_are_logged_without_data" {
  assert {
    condition = (
      one(aws_sfn_state_machine.this.logging_configuration).level == "ERROR" &&
      !one(aws_sfn_state_machine.this.logging_configuration).include_execution_data &&
      one(aws_sfn_state_machine.this.logging_configuration).log_destination == "${aws_cloudwatch_log_group.this.arn}:*"
    )
    error_message = "By default errors are not logged, or with inputs and outputs, or to another log group."
  }
  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/aws/vendedlogs/states/ship" &&
      aws_cloudwatch_log_group.this.kms_key_id == var.key_arn &&
      aws_cloudwatch_log_group.this.retention_in_days == 30
    )
    error_message = "The log group is not encrypted with the key, or has another retention."
  }
}

run "other_settings_reach_the_state_machine" {
  variables {
    logging     = { level = "ALL", include_execution_data = true, retention_days = 7 }
    permissions = { record = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
    tags        = { team = "shop" }
    tracing     = false
    type        = "STANDARD"
  }

  assert {
    condition = (
      one(aws_sfn_state_machine.this.logging_configuration).level == "ALL" &&
      one(aws_sfn_state_machine.this.logging_configuration).include_execution_data &&
      aws_cloudwatch_log_group.this.retention_in_days == 7
    )
    error_message = "The logging differs from its settings."
  }
  assert {
    condition     = aws_sfn_state_machine.this.type == "STANDARD" && !one(aws_sfn_state_machine.this.tracing_configuration).enabled
    error_message = "An input is not used."
  }
  assert {
    condition     = aws_iam_role_policy.permissions["record"].name == "record" && aws_iam_role_policy.permissions["record"].policy == "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    error_message = "The workflow's own permissions are not attached."
  }
  assert {
    condition = alltrue([
      for tags in [aws_sfn_state_machine.this.tags, aws_cloudwatch_log_group.this.tags, aws_iam_role.this.tags] : tags == tomap({ team = "shop" })
    ])
    error_message = "A resource has no tags."
  }
}

run "standard_workflow_can_wait" {
  command = plan

  variables {
    type       = "STANDARD"
    definition = "{\"StartAt\":\"Ask\",\"States\":{\"Ask\":{\"Type\":\"Task\",\"Resource\":\"arn:aws:states:::sqs:sendMessage.waitForTaskToken\",\"End\":true}}}"
  }

  assert {
    condition     = aws_sfn_state_machine.this.definition == var.definition
    error_message = "The definition is refused."
  }
}

run "arns_are_known_from_names" {
  command = plan

  assert {
    condition     = output.arn == "arn:aws:states:eu-west-1:123456789012:stateMachine:ship" && output.static_arn == output.arn
    error_message = "The state machine's ARN is not known at plan."
  }
  assert {
    condition     = output.log_group_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/ship"
    error_message = "The key's policy could not contain the log group's ARN."
  }
}
