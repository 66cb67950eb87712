# Optional parts of `observe`, planned with a mocked provider. The functions' artifacts must exist: make package.

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

run "optional_parts_are_off_by_default" {
  command = plan

  assert {
    condition     = length(module.findings) == 0 && module.observability[0].budget_name == null && module.observability[0].registry_name == null
    error_message = "Findings, budget and schemas must be off by default."
  }

  assert {
    condition     = keys(output.alarm_publishers) == ["alarms"] && !contains(keys(output.dlqs), "findings")
    error_message = "Only alarms may publish by default: ${jsonencode(output.alarm_publishers)}"
  }
}

run "findings_without_a_topic_fail_at_plan" {
  command = plan

  variables {
    observe = { findings = true }
  }

  expect_failures = [var.observe]
}

run "optional_parts_are_created" {
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
    condition     = module.observability[0].budget_name == "darkroom-eu-central-1" && module.observability[0].registry_name == "darkroom"
    error_message = "The budget's name must be name and region of the pipeline, the registry's its name."
  }

  assert {
    condition     = sort(keys(module.findings[0].rule_names)) == sort(["config", "security-hub"]) && module.findings[0].dlq_name == "darkroom-findings-events-dlq"
    error_message = "Both services need a rule, and the rules a DLQ: ${jsonencode(module.findings[0].rule_names)}, ${module.findings[0].dlq_name}"
  }

  assert {
    condition = output.alarm_publishers == {
      alarms   = { service = "cloudwatch.amazonaws.com", source_arns = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:darkroom-*"] }
      budget   = { service = "budgets.amazonaws.com", source_arns = ["arn:aws:budgets::123456789012:*"] }
      findings = { service = "events.amazonaws.com" }
    }
    error_message = "The output must list every publisher: ${jsonencode(output.alarm_publishers)}"
  }

  assert {
    condition     = local.observed_ids[4] == "arn:aws:kms:eu-central-1:123456789012:key/0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f" && length(jsonencode(local.observed_ids)) < 1500
    error_message = "The ids must fit into a pattern of 2,048 characters: ${jsonencode(local.observed_ids)}"
  }
}
