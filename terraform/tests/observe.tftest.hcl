# What an operator may ask for besides, planned against a mocked provider. It needs the functions' artifacts: make package.

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

  mock_data "aws_service_principal" {
    defaults = { id = "logs.eu-central-1.amazonaws.com" }
  }

  mock_resource "aws_kms_key" {
    defaults        = { key_id = "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f" }
    override_during = plan
  }

  mock_resource "aws_api_gateway_rest_api" {
    defaults        = { id = "abc123" }
    override_during = plan
  }
}

variables {
  name   = "darkroom"
  region = "eu-central-1"
}

run "there_is_none_of_it_unless_asked_for" {
  command = plan

  assert {
    condition     = length(module.findings) == 0 && module.observability[0].budget_name == null && module.observability[0].registry_name == null
    error_message = "Off by default."
  }

  assert {
    condition     = keys(output.alarm_publishers) == ["alarms"] && !contains(keys(output.dlqs), "findings")
    error_message = "Nobody but the alarms publishes: ${jsonencode(output.alarm_publishers)}"
  }
}

run "findings_without_a_topic_fail_at_plan" {
  command = plan

  variables {
    observe = { findings = true }
  }

  expect_failures = [var.observe]
}

run "what_is_asked_for_is_made" {
  command = plan

  variables {
    observe = {
      alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:operators"]
      budget           = { usd = 50 }
      findings         = true
      schemas          = true
    }
  }

  assert {
    condition     = module.observability[0].budget_name == "darkroom" && module.observability[0].registry_name == "darkroom"
    error_message = "A budget and a registry, of the pipeline's name."
  }

  assert {
    condition     = sort(keys(module.findings[0].rule_names)) == sort(["config", "security-hub"]) && module.findings[0].dlq_name == "darkroom-findings-events-dlq"
    error_message = "A rule for each of the two, and a dead-letter queue: ${jsonencode(module.findings[0].rule_names)}"
  }

  assert {
    condition = output.alarm_publishers == {
      alarms   = { service = "cloudwatch.amazonaws.com", source_arns = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:darkroom-*"] }
      budget   = { service = "budgets.amazonaws.com", source_arns = ["arn:aws:budgets::123456789012:*"] }
      findings = { service = "events.amazonaws.com" }
    }
    error_message = "The topic's owner must learn who publishes: ${jsonencode(output.alarm_publishers)}"
  }

  assert {
    condition     = local.observed_ids[4] == "arn:aws:kms:eu-central-1:123456789012:key/0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f" && length(jsonencode(local.observed_ids)) < 1500
    error_message = "A pattern has room for 2,048 characters: ${jsonencode(local.observed_ids)}"
  }
}
