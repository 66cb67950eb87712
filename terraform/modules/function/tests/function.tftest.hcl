# The module's resources: the function, its log group, its alias, its event sources.

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
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:resize:live" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:resize", version = "7" }
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

run "defaults_are_safe" {
  assert {
    condition = (
      aws_lambda_function.this.function_name == "resize" &&
      aws_lambda_function.this.handler == "queue_worker.handler.handler" &&
      aws_lambda_function.this.runtime == "python3.13" &&
      aws_lambda_function.this.architectures == tolist(["arm64"]) &&
      aws_lambda_function.this.memory_size == 512 &&
      aws_lambda_function.this.timeout == 30 &&
      one(aws_lambda_function.this.ephemeral_storage).size == 512 &&
      aws_lambda_function.this.role == aws_iam_role.this.arn
    )
    error_message = "The function differs from the documented defaults."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "There must be no reserved concurrency by default; 0 would stop the function."
  }
  assert {
    condition     = one(aws_lambda_function.this.tracing_config).mode == "Active"
    error_message = "Invocations are not traced."
  }
  assert {
    condition     = aws_lambda_function_recursion_config.this.recursive_loop == "Terminate"
    error_message = "A recursive loop is not stopped."
  }
  assert {
    condition = (
      !aws_lambda_function.this.publish && length(aws_lambda_alias.live) == 0 && length(aws_lambda_function.this.snap_start) == 0 &&
      length(aws_lambda_provisioned_concurrency_config.live) == 0 && length(aws_lambda_function.this.vpc_config) == 0 &&
      length(aws_lambda_function.this.environment) == 0 && length(aws_lambda_event_source_mapping.this) == 0 &&
      length(aws_lambda_function_event_invoke_config.this) == 0 && length(aws_lambda_permission.invoker) == 0
    )
    error_message = "An optional resource is created by default."
  }
  assert {
    condition     = output.invoke_arn == aws_lambda_function.this.arn && output.alias_arn == null
    error_message = "Without an alias, callers must use the function."
  }
}

run "artifact_hash_triggers_a_deployment" {
  assert {
    condition = (
      aws_lambda_function.this.filename == "examples/queue_worker/queue_worker.zip" &&
      aws_lambda_function.this.source_code_hash == filebase64sha256("examples/queue_worker/queue_worker.zip")
    )
    error_message = "Changed code would not be deployed."
  }
}

run "digest_in_capitals_is_accepted" {
  command = plan

  variables {
    artifact = {
      path   = "examples/queue_worker/queue_worker.zip"
      sha256 = upper(var.artifact.sha256)
    }
  }

  assert {
    condition     = aws_lambda_function.this.filename == "examples/queue_worker/queue_worker.zip"
    error_message = "The artifact is refused."
  }
}

run "code_signing_is_optional" {
  variables {
    artifact = {
      path                    = "examples/queue_worker/queue_worker.zip"
      sha256                  = var.artifact.sha256
      code_signing_config_arn = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    }
  }

  assert {
    condition     = aws_lambda_function.this.code_signing_config_arn == "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    error_message = "Unsigned code could be deployed."
  }
}

run "logs_are_encrypted_json_with_a_retention" {
  variables {
    logging = { level = "DEBUG", system_level = "WARN", retention_days = 90 }
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/aws/lambda/resize" &&
      aws_cloudwatch_log_group.this.kms_key_id == var.key_arn &&
      aws_cloudwatch_log_group.this.retention_in_days == 90
    )
    error_message = "The log group is not encrypted with the key, or has another retention."
  }
  assert {
    condition = (
      one(aws_lambda_function.this.logging_config).log_format == "JSON" &&
      one(aws_lambda_function.this.logging_config).log_group == aws_cloudwatch_log_group.this.name &&
      one(aws_lambda_function.this.logging_config).application_log_level == "DEBUG" &&
      one(aws_lambda_function.this.logging_config).system_log_level == "WARN"
    )
    error_message = "The function has another log group, format or level."
  }
}

run "logs_are_kept_for_30_days_by_default" {
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && one(aws_lambda_function.this.logging_config).application_log_level == "INFO"
    error_message = "The defaults of `logging` have changed."
  }
}

run "the_environment_is_encrypted" {
  variables {
    environment = { STAGE = "test" }
  }

  assert {
    condition     = one(aws_lambda_function.this.environment).variables == tomap({ STAGE = "test" })
    error_message = "The environment differs from its settings."
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.key_arn
    error_message = "The environment is not encrypted with the key."
  }
}

run "function_without_environment_has_no_key" {
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == null
    error_message = "Lambda would not store the key, and each plan would show a change."
  }
}

run "event_sources_report_single_failures" {
  variables {
    event_sources = {
      jobs = {
        arn             = "arn:aws:sqs:eu-west-1:123456789012:jobs"
        batch_size      = 50
        batch_window    = 5
        filter_patterns = ["{\"body\":{\"kind\":[\"image\"]}}"]
        max_concurrency = 20
      }
      more = { arn = "arn:aws:sqs:eu-west-1:123456789012:more" }
    }
  }

  assert {
    condition     = alltrue([for source in values(aws_lambda_event_source_mapping.this) : source.function_response_types == toset(["ReportBatchItemFailures"])])
    error_message = "One failed message would return its whole batch to the queue."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.this["jobs"].event_source_arn == "arn:aws:sqs:eu-west-1:123456789012:jobs" &&
      aws_lambda_event_source_mapping.this["jobs"].function_name == aws_lambda_function.this.arn &&
      aws_lambda_event_source_mapping.this["jobs"].batch_size == 50 &&
      aws_lambda_event_source_mapping.this["jobs"].maximum_batching_window_in_seconds == 5 &&
      one(aws_lambda_event_source_mapping.this["jobs"].scaling_config).maximum_concurrency == 20 &&
      one(one(aws_lambda_event_source_mapping.this["jobs"].filter_criteria).filter).pattern == "{\"body\":{\"kind\":[\"image\"]}}"
    )
    error_message = "The event source differs from its settings."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.this["more"].batch_size == 10 &&
      length(aws_lambda_event_source_mapping.this["more"].scaling_config) == 0 &&
      length(aws_lambda_event_source_mapping.this["more"].filter_criteria) == 0
    )
    error_message = "The defaults of an event source have changed."
  }
}

run "reserved_concurrency_covers_event_sources" {
  variables {
    concurrency = { reserved = 30 }
    event_sources = {
      jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", max_concurrency = 20 }
      more = { arn = "arn:aws:sqs:eu-west-1:123456789012:more", max_concurrency = 10 }
    }
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 30
    error_message = "The reserved concurrency differs from its setting."
  }
}

run "provisioned_concurrency_adds_an_alias" {
  variables {
    async         = { failure_destination_arn = "arn:aws:sqs:eu-west-1:123456789012:failed" }
    concurrency   = { provisioned = 2 }
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs" } }
    invokers      = { rule = { service = "events.amazonaws.com", source_arn = "arn:aws:events:eu-west-1:123456789012:rule/nightly" } }
  }

  assert {
    condition     = aws_lambda_function.this.publish && one(aws_lambda_alias.live).function_version == "7" && one(aws_lambda_alias.live).name == "live"
    error_message = "The alias does not refer to the published version."
  }
  assert {
    condition = (
      one(aws_lambda_provisioned_concurrency_config.live).qualifier == "live" &&
      one(aws_lambda_provisioned_concurrency_config.live).provisioned_concurrent_executions == 2
    )
    error_message = "The alias has no provisioned concurrency."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.this["jobs"].function_name == one(aws_lambda_alias.live).arn &&
      one(aws_lambda_function_event_invoke_config.this).qualifier == "live" &&
      aws_lambda_permission.invoker["rule"].qualifier == "live" &&
      output.invoke_arn == one(aws_lambda_alias.live).arn && output.alias_arn == one(aws_lambda_alias.live).arn
    )
    error_message = "A caller does not use the alias, and so not the provisioned concurrency."
  }
}

run "snap_start_adds_an_alias_and_encrypts" {
  variables {
    snap_start = true
  }

  assert {
    condition     = one(aws_lambda_function.this.snap_start).apply_on == "PublishedVersions" && aws_lambda_function.this.publish && length(aws_lambda_alias.live) == 1
    error_message = "SnapStart must apply to published versions."
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.key_arn
    error_message = "The snapshots are not encrypted with the key."
  }
  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "Lambda does not allow SnapStart with provisioned concurrency."
  }
}

run "failed_asynchronous_events_are_kept" {
  variables {
    async = { failure_destination_arn = "arn:aws:sqs:eu-west-1:123456789012:failed", max_age_seconds = 600, max_attempts = 1 }
  }

  assert {
    condition = (
      one(one(one(aws_lambda_function_event_invoke_config.this).destination_config).on_failure).destination == "arn:aws:sqs:eu-west-1:123456789012:failed" &&
      one(aws_lambda_function_event_invoke_config.this).maximum_event_age_in_seconds == 600 &&
      one(aws_lambda_function_event_invoke_config.this).maximum_retry_attempts == 1
    )
    error_message = "Failed events would be lost."
  }
}

run "invokers_are_restricted_to_one_source" {
  variables {
    invokers = {
      bucket = { service = "s3.amazonaws.com", source_arn = "arn:aws:s3:::uploads" }
      rule   = { service = "events.amazonaws.com", source_arn = "arn:aws:events:eu-west-1:123456789012:rule/nightly" }
    }
  }

  assert {
    condition = alltrue([
      for key, permission in aws_lambda_permission.invoker :
      permission.action == "lambda:InvokeFunction" && permission.principal == var.invokers[key].service && permission.source_arn == var.invokers[key].source_arn && permission.qualifier == null
    ])
    error_message = "A service may invoke the function for any source."
  }
  assert {
    condition     = aws_lambda_permission.invoker["bucket"].source_account == "123456789012" && aws_lambda_permission.invoker["rule"].source_account == null
    error_message = "A bucket's ARN has no account, so the account must be a condition."
  }
}

run "other_settings_reach_the_function" {
  variables {
    architecture      = "x86_64"
    ephemeral_storage = 2048
    layers            = ["arn:aws:lambda:eu-west-1:123456789012:layer:fonts:3"]
    memory            = 1769
    permissions       = { read = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
    runtime           = "python3.12"
    tags              = { team = "images" }
    timeout           = 120
    tracing           = false
    vpc               = { subnet_ids = ["subnet-0123456789abcdef0"], security_group_ids = ["sg-0123456789abcdef0"] }
  }

  assert {
    condition = (
      aws_lambda_function.this.architectures == tolist(["x86_64"]) &&
      one(aws_lambda_function.this.ephemeral_storage).size == 2048 &&
      aws_lambda_function.this.layers == tolist(["arn:aws:lambda:eu-west-1:123456789012:layer:fonts:3"]) &&
      aws_lambda_function.this.memory_size == 1769 &&
      aws_lambda_function.this.runtime == "python3.12" &&
      aws_lambda_function.this.timeout == 120 && output.timeout == 120 &&
      one(aws_lambda_function.this.tracing_config).mode == "PassThrough"
    )
    error_message = "An input is not used."
  }
  assert {
    condition = (
      one(aws_lambda_function.this.vpc_config).subnet_ids == toset(["subnet-0123456789abcdef0"]) &&
      one(aws_lambda_function.this.vpc_config).security_group_ids == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The function is not in the VPC."
  }
  assert {
    condition     = aws_iam_role_policy.permissions["read"].name == "read" && aws_iam_role_policy.permissions["read"].policy == "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    error_message = "The function's own permissions are not attached."
  }
  assert {
    condition = alltrue([
      for tags in [aws_lambda_function.this.tags, aws_cloudwatch_log_group.this.tags, aws_iam_role.this.tags] : tags == tomap({ team = "images" })
    ])
    error_message = "A resource has no tags."
  }
}

run "log_group_arn_is_known_at_plan" {
  command = plan

  assert {
    condition     = output.log_group_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/resize"
    error_message = "The key's policy could not contain the log group's ARN."
  }
}
