# The root with a mocked provider, offline. The functions' artifacts must exist: make package.

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

run "name_and_region_are_enough" {
  command = plan

  assert {
    condition     = output.originals_bucket == "darkroom-originals-123456789012-eu-central-1" && output.processed_bucket == "darkroom-processed-123456789012-eu-central-1"
    error_message = "Buckets must be named after the pipeline, the account and the region: ${output.originals_bucket}, ${output.processed_bucket}"
  }

  assert {
    condition     = output.bus.name == "darkroom" && output.bus.arn == "arn:aws:events:eu-central-1:123456789012:event-bus/darkroom"
    error_message = "The bus must be named after the pipeline: ${output.bus.arn}"
  }

  assert {
    condition     = output.process_image.name == "darkroom-process-image" && output.process_image.log_group == "/aws/lambda/darkroom-process-image"
    error_message = "Function and log group must be named after the pipeline: ${output.process_image.name}, ${output.process_image.log_group}"
  }

  assert {
    condition     = output.table == "darkroom-images" && output.notifications_topic_arn == "arn:aws:sns:eu-central-1:123456789012:darkroom-notifications"
    error_message = "Table and topic must be named after the pipeline: ${output.table}, ${output.notifications_topic_arn}"
  }

  assert {
    condition     = length(aws_s3_object.watermark) == 0
    error_message = "Without a watermark image, no object must be uploaded."
  }
}

run "watermark_is_uploaded_once_under_its_hash" {
  command = plan

  variables {
    variants = [
      { name = "small", width = 100, watermark = { image = "versions.tf" } },
      { name = "large", width = 200, watermark = { image = "versions.tf", opacity = 1 } },
      { name = "plain", width = 200 },
    ]
  }

  assert {
    condition     = aws_s3_object.watermark["versions.tf"].key == "watermarks/${filesha256("versions.tf")}" && length(aws_s3_object.watermark) == 1
    error_message = "Both variants must share one object: ${jsonencode(values(aws_s3_object.watermark)[*].key)}"
  }

  assert {
    condition     = aws_s3_object.watermark["versions.tf"].bucket == output.processed_bucket && aws_s3_object.watermark["versions.tf"].source == "versions.tf"
    error_message = "The watermark must be in the bucket of the derivatives."
  }

  assert {
    condition     = jsonencode([for v in local.variants : try(v.watermark.image, null)]) == jsonencode(concat([for _ in range(2) : aws_s3_object.watermark["versions.tf"].key], [null]))
    error_message = "The function's settings must contain the object's key, not the path: ${jsonencode(local.variants)}"
  }
}

run "rules_match_only_events_of_the_bucket" {
  command = plan

  assert {
    condition = alltrue([
      for type, detail_type in { object_created = "Object Created", object_deleted = "Object Deleted" } :
      jsondecode(local.object_patterns[type]) == {
        source      = ["aws.s3"]
        detail-type = [detail_type]
        detail      = { bucket = { name = ["darkroom-originals-123456789012-eu-central-1"] } }
      }
    ])
    error_message = "The rules must have the contracts' patterns and the bucket's name: ${jsonencode(local.object_patterns)}"
  }
}

run "reconcile_is_off_by_default" {
  command = plan

  assert {
    condition     = length(aws_scheduler_schedule.reconcile) + length(module.reconcile) + length(module.reconcile_dlq) + length(aws_iam_role.reconcile_schedule) == 0 && output.reconcile == null
    error_message = "The scheduled comparison must be off by default."
  }
}

run "schedule_invokes_reconcile_and_has_a_dlq" {
  variables {
    reconcile = { schedule = "cron(0 3 * * ? *)", grace_minutes = 30 }
  }

  override_module {
    target = module.reconcile
    outputs = {
      arn            = "arn:aws:lambda:eu-central-1:123456789012:function:darkroom-reconcile"
      log_group_arn  = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/darkroom-reconcile"
      log_group_name = "/aws/lambda/darkroom-reconcile"
      name           = "darkroom-reconcile"
      timeout        = 900
    }
  }

  command = plan

  override_resource {
    target          = aws_iam_role.reconcile_schedule
    values          = { arn = "arn:aws:iam::123456789012:role/darkroom-reconcile-schedule-eu-central-1" }
    override_during = plan
  }

  assert {
    condition     = aws_scheduler_schedule.reconcile[0].schedule_expression == "cron(0 3 * * ? *)" && jsondecode(aws_scheduler_schedule.reconcile[0].target[0].input) == { repair = false, grace_minutes = 30 }
    error_message = "The schedule must have the expression, and request only a report: ${aws_scheduler_schedule.reconcile[0].target[0].input}"
  }

  assert {
    condition     = aws_scheduler_schedule.reconcile[0].target[0].arn == "arn:aws:lambda:eu-central-1:123456789012:function:darkroom-reconcile" && aws_scheduler_schedule.reconcile[0].target[0].role_arn == "arn:aws:iam::123456789012:role/darkroom-reconcile-schedule-eu-central-1"
    error_message = "The schedule must invoke the function with its own role."
  }

  assert {
    condition     = aws_scheduler_schedule.reconcile[0].target[0].dead_letter_config[0].arn == "arn:aws:sqs:eu-central-1:123456789012:darkroom-reconcile-dlq" && aws_scheduler_schedule.reconcile[0].target[0].retry_policy[0].maximum_retry_attempts == 5
    error_message = "A failed invocation must be retried, and then go to the DLQ."
  }
}
