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
  name    = "resize"
  handler = "queue_worker.handler.handler"
  key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  artifact = {
    path   = "examples/queue_worker/queue_worker.zip"
    sha256 = filesha256("examples/queue_worker/queue_worker.zip")
  }
}

run "artifact_that_is_not_built" {
  command = plan
  variables {
    artifact = { path = "build/resize.zip", sha256 = var.artifact.sha256, build_command = "make package" }
  }
  expect_failures = [aws_lambda_function.this]
}

run "artifact_that_is_not_built_and_has_no_digest" {
  command = plan
  variables {
    artifact = { path = "build/resize.zip", sha256 = null }
  }
  expect_failures = [aws_lambda_function.this]
}

run "artifact_that_is_a_folder" {
  command = plan
  variables {
    artifact = { path = "examples", sha256 = var.artifact.sha256 }
  }
  expect_failures = [aws_lambda_function.this]
}

run "artifact_with_another_digest" {
  command = plan
  variables {
    artifact = { path = "examples/queue_worker/queue_worker.zip", sha256 = sha256("another") }
  }
  expect_failures = [aws_lambda_function.this]
}

run "artifact_without_a_digest" {
  command = plan
  variables {
    artifact = { path = "examples/queue_worker/queue_worker.zip", sha256 = null }
  }
  expect_failures = [aws_lambda_function.this]
}

run "environment_of_more_than_4_kb" {
  command = plan
  variables {
    environment = { VARIANTS = join("", [for _ in range(512) : "12345678"]) }
  }
  expect_failures = [aws_lambda_function.this]
}

run "digest_in_base64" {
  command = plan
  variables {
    artifact = { path = "examples/queue_worker/queue_worker.zip", sha256 = filebase64sha256("examples/queue_worker/queue_worker.zip") }
  }
  expect_failures = [var.artifact]
}

run "key_that_is_not_an_arn" {
  command = plan
  variables {
    key_arn = "alias/resize"
  }
  expect_failures = [var.key_arn]
}

run "name_with_a_dot" {
  command = plan
  variables {
    name = "resize.image"
  }
  expect_failures = [var.name]
}

run "role_name_that_is_too_long" {
  command = plan
  variables {
    name = "a-name-that-lambda-takes-but-a-role-with-the-region-cannot"
  }
  expect_failures = [aws_iam_role.this]
}

run "architecture_that_does_not_exist" {
  command = plan
  variables {
    architecture = "amd64"
  }
  expect_failures = [var.architecture]
}

run "failures_to_a_bucket" {
  command = plan
  variables {
    async = { failure_destination_arn = "arn:aws:s3:::failed" }
  }
  expect_failures = [var.async]
}

run "seven_attempts" {
  command = plan
  variables {
    async = { failure_destination_arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", max_attempts = 7 }
  }
  expect_failures = [var.async]
}

run "negative_reservation" {
  command = plan
  variables {
    concurrency = { reserved = -1 }
  }
  expect_failures = [var.concurrency]
}

run "provisioned_concurrency_of_zero" {
  command = plan
  variables {
    concurrency = { provisioned = 0 }
  }
  expect_failures = [var.concurrency]
}

run "more_provisioned_than_reserved" {
  command = plan
  variables {
    concurrency = { provisioned = 5, reserved = 2 }
  }
  expect_failures = [var.concurrency]
}

run "too_little_storage" {
  command = plan
  variables {
    ephemeral_storage = 128
  }
  expect_failures = [var.ephemeral_storage]
}

run "event_source_that_is_a_stream" {
  command = plan
  variables {
    event_sources = { jobs = { arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/jobs" } }
  }
  expect_failures = [var.event_sources]
}

run "batch_of_nothing" {
  command = plan
  variables {
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", batch_size = 0 } }
  }
  expect_failures = [var.event_sources]
}

run "large_batch_without_a_window" {
  command = plan
  variables {
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", batch_size = 11 } }
  }
  expect_failures = [var.event_sources]
}

run "concurrency_of_one" {
  command = plan
  variables {
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", max_concurrency = 1 } }
  }
  expect_failures = [var.event_sources]
}

run "filter_that_is_not_json" {
  command = plan
  variables {
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", filter_patterns = ["kind = image"] } }
  }
  expect_failures = [var.event_sources]
}

run "event_sources_above_the_reservation" {
  command = plan
  variables {
    concurrency   = { reserved = 5 }
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", max_concurrency = 6 } }
  }
  expect_failures = [aws_lambda_event_source_mapping.this]
}

run "invoker_that_is_not_a_service" {
  command = plan
  variables {
    invokers = { me = { service = "123456789012", source_arn = "arn:aws:iam::123456789012:root" } }
  }
  expect_failures = [var.invokers]
}

run "invoker_for_anything" {
  command = plan
  variables {
    invokers = { rule = { service = "events.amazonaws.com", source_arn = "*" } }
  }
  expect_failures = [var.invokers]
}

run "six_layers" {
  command = plan
  variables {
    layers = [for n in range(6) : "arn:aws:lambda:eu-west-1:123456789012:layer:l${n}:1"]
  }
  expect_failures = [var.layers]
}

run "async_destination_that_is_a_fifo_queue" {
  command = plan
  variables {
    async = { failure_destination_arn = "arn:aws:sqs:eu-west-1:123456789012:failed.fifo" }
  }
  expect_failures = [var.async]
}

run "log_level_that_does_not_exist" {
  command = plan
  variables {
    logging = { level = "VERBOSE" }
  }
  expect_failures = [var.logging]
}

run "log_level_that_drops_metrics_and_uncaught_errors" {
  command = plan
  variables {
    logging = { level = "WARN" }
  }
  expect_failures = [var.logging]
}

run "system_log_level_that_does_not_exist" {
  command = plan
  variables {
    logging = { system_level = "TRACE" }
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

run "too_little_memory" {
  command = plan
  variables {
    memory = 64
  }
  expect_failures = [var.memory]
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
    permissions = { read = "s3:GetObject" }
  }
  expect_failures = [var.permissions]
}

run "snap_start_with_provisioned_concurrency" {
  command = plan
  variables {
    snap_start  = true
    concurrency = { provisioned = 1 }
  }
  expect_failures = [var.snap_start]
}

run "snap_start_with_much_storage" {
  command = plan
  variables {
    snap_start        = true
    ephemeral_storage = 1024
  }
  expect_failures = [var.snap_start]
}

run "snap_start_of_an_old_runtime" {
  command = plan
  variables {
    snap_start = true
    runtime    = "python3.11"
  }
  expect_failures = [var.snap_start]
}

run "timeout_of_an_hour" {
  command = plan
  variables {
    timeout = 3600
  }
  expect_failures = [var.timeout]
}

run "vpc_without_subnets" {
  command = plan
  variables {
    vpc = { subnet_ids = [], security_group_ids = ["sg-0123456789abcdef0"] }
  }
  expect_failures = [var.vpc]
}
