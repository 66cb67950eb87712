# The try page, planned with a mocked provider. The functions' artifacts must exist: make package.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }

  mock_data "aws_service_principal" {
    defaults = { id = "logs.eu-central-1.amazonaws.com" }
  }

  mock_resource "aws_api_gateway_stage" {
    defaults        = { invoke_url = "https://abc.execute-api.eu-central-1.amazonaws.com/v1" }
    override_during = plan
  }
}

variables {
  name   = "darkroom"
  region = "eu-central-1"
}

run "page_is_off_by_default" {
  command = plan

  assert {
    condition     = length(module.try_page) == 0 && length(aws_s3_object.try_page) == 0 && length(local.try_page_routes) == 0 && output.try_page == null
    error_message = "The page must be off by default: ${jsonencode(keys(local.try_page_routes))}"
  }
}

run "page_needs_an_api" {
  command = plan

  variables {
    api = null
  }

  assert {
    condition     = length(module.try_page) == 0 && output.try_page == null
    error_message = "Without an API there must be no page."
  }
}

run "api_serves_page_without_authentication" {
  command = plan

  variables {
    api = { try_page = true, authorization = { type = "API_KEY" }, api_keys = ["me"] }
  }

  assert {
    condition     = output.try_page == "https://abc.execute-api.eu-central-1.amazonaws.com/v1/index.html"
    error_message = "The page's URL is ${output.try_page}"
  }

  assert {
    condition     = module.try_page[0].name == "darkroom-try-page-123456789012-eu-central-1" && alltrue([for route in values(local.try_page_routes) : !route.authenticated && startswith(route.integration.service, "s3:path/darkroom-try-page-123456789012-eu-central-1/")])
    error_message = "The page's routes must read its bucket, without authentication: ${jsonencode(local.try_page_routes)}"
  }

  assert {
    condition = jsondecode(aws_s3_object.try_page["config.json"].content) == {
      api         = "."
      credentials = ["key"]
      max_bytes   = 26214400
      origins     = ["https://darkroom-originals-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com"]
    }
    error_message = "The page's settings must contain the origin of the uploads: ${aws_s3_object.try_page["config.json"].content}"
  }

  assert {
    condition     = jsonencode(local.try_page_origins) == jsonencode(["https://abc.execute-api.eu-central-1.amazonaws.com"])
    error_message = "The bucket of originals must allow the page's origin: ${jsonencode(local.try_page_origins)}"
  }
}

run "upload_url_has_the_partitions_domain" {
  command = plan

  variables {
    region = "cn-north-1"
    api    = { try_page = true, authorization = { type = "API_KEY" }, api_keys = ["me"] }
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  assert {
    condition     = jsonencode(jsondecode(aws_s3_object.try_page["config.json"].content).origins) == jsonencode(["https://darkroom-originals-123456789012-cn-north-1.s3.cn-north-1.amazonaws.com.cn"])
    error_message = "Forms must post to the bucket's host in its region: ${aws_s3_object.try_page["config.json"].content}"
  }
}

run "page_asks_for_the_apis_credentials" {
  command = plan

  variables {
    api = {
      try_page      = true
      authorization = { type = "COGNITO_USER_POOLS", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_x"] }
      api_keys      = ["me"]
    }
  }

  assert {
    condition     = jsonencode(jsondecode(aws_s3_object.try_page["config.json"].content).credentials) == jsonencode(["token", "key"])
    error_message = "With API keys, the page must ask for a key and a token: ${aws_s3_object.try_page["config.json"].content}"
  }
}
