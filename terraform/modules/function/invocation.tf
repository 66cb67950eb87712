resource "aws_lambda_event_source_mapping" "this" {
  for_each = var.event_sources

  event_source_arn                   = each.value.arn
  function_name                      = local.invoke_arn
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.batch_window
  # One failed message must not return its whole batch to the queue.
  function_response_types = ["ReportBatchItemFailures"]

  dynamic "filter_criteria" {
    for_each = length(each.value.filter_patterns) > 0 ? [each.value.filter_patterns] : []

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          pattern = filter.value
        }
      }
    }
  }

  dynamic "scaling_config" {
    for_each = each.value.max_concurrency[*]

    content {
      maximum_concurrency = scaling_config.value
    }
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.runtime, aws_iam_role_policy.permissions]

  lifecycle {
    precondition {
      condition     = var.concurrency.reserved == null || sum([for source in values(var.event_sources) : coalesce(source.max_concurrency, 0)]) <= coalesce(var.concurrency.reserved, 1000)
      error_message = "The event sources of function ${var.name} can use ${sum([for source in values(var.event_sources) : coalesce(source.max_concurrency, 0)])} executions at once, but ${coalesce(var.concurrency.reserved, 0)} are reserved: throttled messages would go to the DLQ. Reserve more, or lower `max_concurrency`."
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count = var.async == null ? 0 : 1

  function_name                = aws_lambda_function.this.function_name
  qualifier                    = local.aliased ? aws_lambda_alias.live[0].name : null
  maximum_event_age_in_seconds = var.async.max_age_seconds
  maximum_retry_attempts       = var.async.max_attempts

  destination_config {
    on_failure {
      destination = var.async.failure_destination_arn
    }
  }

  depends_on = [aws_iam_role_policy.runtime]
}

resource "aws_lambda_permission" "invoker" {
  for_each = var.invokers

  statement_id  = each.key
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = local.aliased ? aws_lambda_alias.live[0].name : null
  principal     = each.value.service
  source_arn    = each.value.source_arn
  # The ARN of a bucket contains no account, and another account can create a deleted bucket's name.
  source_account = split(":", each.value.source_arn)[4] == "" ? local.account_id : null
}
