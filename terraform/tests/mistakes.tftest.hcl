# Mistakes that a plan finds. tests/terraform/test_root.py checks the messages.

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
}

variables {
  name   = "darkroom"
  region = "eu-central-1"
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    name    = "Darkroom"
    limits  = { max_pixels = 200000000 }
    runtime = "3.13"

    variants = [
      { name = "web", width = 1024, format = "tiff" },
      { name = "web", width = 1024, quality = 101 },
    ]
  }

  expect_failures = [
    var.name,
    var.limits,
    var.runtime,
    var.variants,
  ]
}
