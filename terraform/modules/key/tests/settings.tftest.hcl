# Settings of the resources, with a mocked provider. Offline.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
}

variables {
  name = "orders"
}

run "key_rotates_and_can_be_restored" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.rotation_period_in_days == 365
    error_message = "The key must rotate every year."
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 30
    error_message = "A deleted key must be restorable for 30 days, the maximum of KMS."
  }
}

run "outputs_name_the_key" {
  assert {
    condition     = output.alias == "alias/orders" && aws_kms_alias.this.target_key_id == output.id
    error_message = "The alias must point to the key."
  }

  assert {
    condition     = output.arn == "arn:aws:kms:eu-central-1:123456789012:key/${output.id}"
    error_message = "The ARN must be the key's: ${output.arn}"
  }
}

run "options_reach_the_key" {
  variables {
    deletion_window_days = 7
    description          = "Orders"
    rotation_days        = 90
    tags                 = { team = "shop" }
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 7 && aws_kms_key.this.rotation_period_in_days == 90
    error_message = "The key must have the given periods."
  }

  assert {
    condition     = aws_kms_key.this.description == "Orders" && aws_kms_key.this.tags == tomap({ team = "shop" })
    error_message = "The key must have the given description and tags."
  }
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    name                 = "aws/orders"
    deletion_window_days = 6
    policy_documents     = ["not JSON"]
    rotation_days        = 89
  }

  expect_failures = [
    var.name,
    var.deletion_window_days,
    var.policy_documents,
    var.rotation_days,
  ]
}

run "service_without_a_condition_is_refused" {
  command = plan

  variables {
    services = { anybody = { service = "sns.amazonaws.com" } }
  }

  expect_failures = [var.services]
}

run "service_with_an_invalid_name_is_refused" {
  command = plan

  variables {
    services = { "SNS to SQS" = { service = "sns.amazonaws.com", source_arns = ["arn:aws:sns:eu-central-1:123456789012:orders"] } }
  }

  expect_failures = [var.services]
}
