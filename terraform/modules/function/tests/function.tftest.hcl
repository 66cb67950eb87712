# What the module makes of its inputs: the function, its log group, its alias, its event sources.

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

run "the_simplest_use_has_safe_defaults" {
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
    error_message = "The function differs from what the defaults promise."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "Nobody asked for reserved concurrency; 0 would stop the function."
  }
  assert {
    condition     = one(aws_lambda_function.this.tracing_config).mode == "Active"
    error_message = "Calls are not traced."
  }
  assert {
    condition     = aws_lambda_function_recursion_config.this.recursive_loop == "Terminate"
    error_message = "A loop would go on for ever."
  }
  assert {
    condition = (
      !aws_lambda_function.this.publish && length(aws_lambda_alias.live) == 0 && length(aws_lambda_function.this.snap_start) == 0 &&
      length(aws_lambda_provisioned_concurrency_config.live) == 0 && length(aws_lambda_function.this.vpc_config) == 0 &&
      length(aws_lambda_function.this.environment) == 0 && length(aws_lambda_event_source_mapping.this) == 0 &&
      length(aws_lambda_function_event_invoke_config.this) == 0 && length(aws_lambda_permission.invoker) == 0
    )
    error_message = "Something was made that nobody asked for."
  }
  assert {
    condition     = output.invoke_arn == aws_lambda_function.this.arn && output.alias_arn == null
    error_message = "Without an alias callers use the function itself."
  }
}

run "the_artifact_is_what_is_deployed" {
  assert {
    condition = (
      aws_lambda_function.this.filename == "examples/queue_worker/queue_worker.zip" &&
      aws_lambda_function.this.source_code_hash == filebase64sha256("examples/queue_worker/queue_worker.zip")
    )
    error_message = "Changed code would not be deployed."
  }
}

run "a_digest_in_capitals_is_the_same_digest" {
  command = plan

  variables {
    artifact = {
      path   = "examples/queue_worker/queue_worker.zip"
      sha256 = upper(var.artifact.sha256)
    }
  }

  assert {
    condition     = aws_lambda_function.this.filename == "examples/queue_worker/queue_worker.zip"
    error_message = "The artifact was refused."
  }
}

run "a_signature_is_demanded_when_asked_for" {
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

run "logs_are_encrypted_json_and_forgotten" {
  variables {
    logging = { level = "DEBUG", system_level = "WARN", retention_days = 90 }
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/aws/lambda/resize" &&
      aws_cloudwatch_log_group.this.kms_key_id == var.key_arn &&
      aws_cloudwatch_log_group.this.retention_in_days == 90
    )
    error_message = "The log group is not encrypted with the key, or keeps logs for another time."
  }
  assert {
    condition = (
      one(aws_lambda_function.this.logging_config).log_format == "JSON" &&
      one(aws_lambda_function.this.logging_config).log_group == aws_cloudwatch_log_group.this.name &&
      one(aws_lambda_function.this.logging_config).application_log_level == "DEBUG" &&
      one(aws_lambda_function.this.logging_config).system_log_level == "WARN"
    )
    error_message = "The function logs elsewhere or otherwise."
  }
}

run "logs_are_kept_for_30_days_unless_told_otherwise" {
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && one(aws_lambda_function.this.logging_config).application_log_level == "INFO"
    error_message = "The defaults of `logging` are others."
  }
}

run "the_environment_is_encrypted" {
  variables {
    environment = { STAGE = "test" }
  }

  assert {
    condition     = one(aws_lambda_function.this.environment).variables == tomap({ STAGE = "test" })
    error_message = "The environment is another."
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.key_arn
    error_message = "The environment is not encrypted with the key."
  }
}

run "without_an_environment_no_key_is_named" {
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == null
    error_message = "Lambda would not keep the key, and each plan would show a change."
  }
}

run "event_sources_report_their_failures_one_by_one" {
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
    error_message = "One bad message would bring its whole batch back."
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
    error_message = "The event source differs from what was asked for."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.this["more"].batch_size == 10 &&
      length(aws_lambda_event_source_mapping.this["more"].scaling_config) == 0 &&
      length(aws_lambda_event_source_mapping.this["more"].filter_criteria) == 0
    )
    error_message = "The defaults of an event source are others."
  }
}

run "reserved_concurrency_holds_all_event_sources" {
  variables {
    concurrency = { reserved = 30 }
    event_sources = {
      jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs", max_concurrency = 20 }
      more = { arn = "arn:aws:sqs:eu-west-1:123456789012:more", max_concurrency = 10 }
    }
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 30
    error_message = "The reserved concurrency is another."
  }
}

run "provisioned_concurrency_makes_an_alias_that_everything_uses" {
  variables {
    async         = { failure_destination_arn = "arn:aws:sqs:eu-west-1:123456789012:failed" }
    concurrency   = { provisioned = 2 }
    event_sources = { jobs = { arn = "arn:aws:sqs:eu-west-1:123456789012:jobs" } }
    invokers      = { rule = { service = "events.amazonaws.com", source_arn = "arn:aws:events:eu-west-1:123456789012:rule/nightly" } }
  }

  assert {
    condition     = aws_lambda_function.this.publish && one(aws_lambda_alias.live).function_version == "7" && one(aws_lambda_alias.live).name == "live"
    error_message = "The alias does not name the published version."
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
    error_message = "Something passes the alias by, and with it the provisioned concurrency."
  }
}

run "snap_start_makes_an_alias_and_encrypts_its_snapshots" {
  variables {
    snap_start = true
  }

  assert {
    condition     = one(aws_lambda_function.this.snap_start).apply_on == "PublishedVersions" && aws_lambda_function.this.publish && length(aws_lambda_alias.live) == 1
    error_message = "SnapStart works for published versions only."
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.key_arn
    error_message = "The snapshots are not encrypted with the key."
  }
  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "Lambda refuses both together."
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

run "invokers_act_for_one_source" {
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
    error_message = "A service may call for any source."
  }
  assert {
    condition     = aws_lambda_permission.invoker["bucket"].source_account == "123456789012" && aws_lambda_permission.invoker["rule"].source_account == null
    error_message = "A bucket's ARN names no account: the account must be named beside it."
  }
}

run "everything_else_is_passed_on" {
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
    error_message = "Something lacks the tags."
  }
}

run "arns_for_other_policies_are_known_at_plan" {
  command = plan

  assert {
    condition     = output.log_group_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/resize"
    error_message = "The key's policy could not name the log group."
  }
}
