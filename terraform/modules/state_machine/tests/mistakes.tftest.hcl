# Invalid values fail at plan.

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
}

variables {
  name       = "ship"
  key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  definition = "{\"StartAt\":\"Done\",\"States\":{\"Done\":{\"Type\":\"Succeed\"}}}"
}

run "definition_that_is_not_json" {
  command = plan
  variables {
    definition = "StartAt: Done"
  }
  expect_failures = [var.definition]
}

run "definition_without_states" {
  command = plan
  variables {
    definition = "{\"StartAt\":\"Done\"}"
  }
  expect_failures = [var.definition]
}

run "key_that_is_not_an_arn" {
  command = plan
  variables {
    key_arn = "alias/ship"
  }
  expect_failures = [var.key_arn]
}

run "name_with_a_space" {
  command = plan
  variables {
    name = "ship orders"
  }
  expect_failures = [var.name]
}

run "role_name_that_is_too_long" {
  command = plan
  variables {
    name = "a-name-that-step-functions-takes-but-a-role-with-region-cannot"
  }
  expect_failures = [aws_iam_role.this]
}

run "log_level_that_does_not_exist" {
  command = plan
  variables {
    logging = { level = "INFO" }
  }
  expect_failures = [var.logging]
}

run "logs_for_ten_days" {
  command = plan
  variables {
    logging = { retention_days = 10 }
  }
  expect_failures = [var.logging]
}

run "permissions_with_the_reserved_name" {
  command = plan
  variables {
    permissions = { runtime = "{}" }
  }
  expect_failures = [var.permissions]
}

run "permissions_that_are_not_json" {
  command = plan
  variables {
    permissions = { record = "dynamodb:UpdateItem" }
  }
  expect_failures = [var.permissions]
}

run "type_that_does_not_exist" {
  command = plan
  variables {
    type = "FAST"
  }
  expect_failures = [var.type]
}

run "express_workflow_that_waits_for_a_token" {
  command = plan
  variables {
    definition = "{\"StartAt\":\"Ask\",\"States\":{\"Ask\":{\"Type\":\"Task\",\"Resource\":\"arn:aws:states:::sqs:sendMessage.waitForTaskToken\",\"End\":true}}}"
  }
  expect_failures = [var.type]
}

run "express_workflow_that_waits_for_a_job" {
  command = plan
  variables {
    definition = "{\"StartAt\":\"Ask\",\"States\":{\"Ask\":{\"Type\":\"Task\",\"Resource\":\"arn:aws:states:::states:startExecution.sync:2\",\"End\":true}}}"
  }
  expect_failures = [var.type]
}
