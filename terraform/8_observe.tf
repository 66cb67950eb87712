# In:         the metrics of every part of the pipeline.
# Out:        a dashboard, alarms to the topics of your choice, saved queries; optionally findings, a budget, schemas.
# On failure: the pipeline does not depend on this file.

locals {
  # Powertools writes the function's own metrics under this name.
  function_metrics = { namespace = var.name, dimensions = { service = "process_image" } }

  # Prices by service and unit. `darkroom cost` uses the same file for a complete estimate; the dashboard shows the
  # largest items only.
  usd = { for service, prices in jsondecode(file("${path.module}/prices.json")).services : service => prices.usd }

  # An express execution of 0.1 s with 64 MB; number of states that a processed image enters.
  usd_express         = local.usd.step_functions.express_request + 0.1 * 64 / 1024 * local.usd.step_functions.express_gb_second
  record_image_states = 15 + length(var.variants)

  # The table's metric does not include writes to its indexes.
  index_costs = {
    for index in keys(module.images.index_arns) : "DynamoDB: writes to ${index}" => {
      namespace  = "AWS/DynamoDB"
      metric     = "ConsumedWriteCapacityUnits"
      dimensions = { TableName = module.images.name, GlobalSecondaryIndexName = index }
      usd        = local.usd.dynamodb.write_unit
    }
  }

  observed_rules = merge(
    { for key, name in module.uploads_rules.rule_names : key => { name = name, bus = "default" } },
    { for key, name in module.bus.rule_names : key => { name = name, bus = module.bus.name } },
    merge([for findings in module.findings : { for key, name in findings.rule_names : key => { name = name, bus = "default" } }]...),
  )
}

module "observability" {
  source = "./modules/observability"
  count  = var.observe == null ? 0 : 1

  name             = var.name
  alarm_topic_arns = var.observe.alarm_topic_arns

  queues    = { uploads = { name = module.uploads.name, max_age = var.observe.max_wait } }
  rules     = local.observed_rules
  tables    = { images = { name = module.images.name, indexes = keys(module.images.index_arns) } }
  topics    = { notifications = module.notifications.name }
  workflows = { record_image = { arn = module.record_image.arn, type = var.workflow_type } }
  apis      = { for api in module.api : "api" => { api = api.name, stage = api.stage } }

  functions = merge(
    { process_image = { name = module.process_image.name, timeout = module.process_image.timeout } },
    { for function in module.presign_upload : "presign_upload" => { name = function.name, timeout = function.timeout } },
    # The comparison uses all of its time and stops before the timeout, so only an overrun is slow.
    { for function in module.reconcile : "reconcile" => { name = function.name, timeout = function.timeout, slow = 1 } },
  )

  found = {
    for function in module.reconcile : "differences" => {
      namespace  = var.name
      metric     = "DifferencesFound"
      dimensions = { service = "reconcile" }
      advice     = "Originals, derivatives and records differ. The log of ${function.name} names each image and the outcome. ${local.reconcile_repairs ? "The run repaired them unless the log reports an error. Find out why events were lost." : "Check them, then run `darkroom reconcile --repair`."}"
    }
  }

  dead_letter_queues = merge(
    {
      for queue in module.reconcile_dlq :
      "reconcile" => { name = queue.name, advice = "The scheduled comparison failed or could not be invoked. Its log has the error. The next run continues, so delete these messages." }
    },
    {
      uploads       = { name = module.uploads.dlq_name, advice = "These uploads failed five times. The function's log has the errors by message id. Fix the cause, then redrive the messages, which are S3's object events." }
      uploads_rules = { name = module.uploads_rules.dlq_name, advice = "EventBridge could not deliver object events to the queue. Fix the policies of queue and key, then redrive." }
      bus           = { name = module.bus.dlq_name, advice = "EventBridge could not start the workflow. Fix the rule's role, then redrive or replay the archive." }
      record_image  = { name = module.record_image_dlq.name, advice = "These images were processed but not recorded, or recorded without a notification. Fix the error in the workflow's log, then redrive. Recording an event twice is harmless." }
      notifications = { name = module.notifications.dlq_name, advice = "A subscriber did not accept these notifications. Contact its owner, then redrive." }
    },
    {
      for findings in module.findings :
      "findings" => { name = findings.dlq_name, advice = "EventBridge could not deliver findings to the topic. Fix the policies of the topic and its key. The findings are in Security Hub and AWS Config." }
    },
  )

  outcomes = merge(local.function_metrics, {
    good           = "ImageProcessed"
    bad            = "ImageRejected"
    bad_by         = "reason"
    others         = ["ImageDeleted", "ImageVersionDeleted"]
    failed         = "MessagesFailed"
    bad_share      = var.observe.rejected_share
    expected_every = var.observe.expected_every
  })

  # From the object event to the notification: the time of the function, of the bus and of the workflow.
  latencies = [
    merge(local.function_metrics, { label = "upload to announced", metric = "UploadToAnnounced" }),
    {
      label      = "announced to workflow"
      namespace  = "AWS/Events"
      metric     = "IngestionToInvocationSuccessLatency"
      dimensions = { EventBusName = module.bus.name, RuleName = module.bus.rule_names["image-processed"] }
    },
    {
      label      = "workflow to notified"
      namespace  = "AWS/States"
      metric     = "ExecutionTime"
      dimensions = { StateMachineArn = module.record_image.arn }
    },
  ]

  stages = merge(local.function_metrics, { metrics = ["Fetch", "Look", "Decode", "Scale", "Encode", "Store"] })

  # S3 charges for metrics of requests, so the dashboard estimates them: reads of each image, and a write for each
  # derivative.
  costs = merge(local.index_costs, {
    "Lambda: compute" = {
      namespace  = "AWS/Lambda"
      metric     = "Duration"
      dimensions = { FunctionName = module.process_image.name }
      usd        = var.process_image.memory / 1024 / 1000 * local.usd.lambda["gb_second_${var.architecture}"]
    }
    "Lambda: calls" = {
      namespace  = "AWS/Lambda"
      metric     = "Invocations"
      dimensions = { FunctionName = module.process_image.name }
      usd        = local.usd.lambda.request
    }
    "S3: originals and derivatives" = merge(local.function_metrics, {
      metric = "ImageProcessed"
      usd    = (1 + length(var.variants)) * local.usd.s3.put + 3 * local.usd.s3.get
    })
    "EventBridge" = merge(local.function_metrics, {
      metric = "ImageProcessed"
      usd    = (1 + (var.processed.events ? length(var.variants) : 0)) * local.usd.eventbridge.opt_in_event + local.usd.eventbridge.custom_event
    })
    "SQS" = {
      namespace  = "AWS/SQS"
      metric     = "NumberOfMessagesSent"
      dimensions = { QueueName = module.uploads.name }
      usd        = 3 * local.usd.sqs.request
    }
    "Step Functions" = {
      namespace  = "AWS/States"
      metric     = "ExecutionsStarted"
      dimensions = { StateMachineArn = module.record_image.arn }
      usd        = var.workflow_type == "EXPRESS" ? local.usd_express : local.record_image_states * local.usd.step_functions.standard_transition
    }
    "DynamoDB: writes" = {
      namespace  = "AWS/DynamoDB"
      metric     = "ConsumedWriteCapacityUnits"
      dimensions = { TableName = module.images.name }
      usd        = local.usd.dynamodb.write_unit
    }
    "SNS" = {
      namespace  = "AWS/SNS"
      metric     = "NumberOfMessagesPublished"
      dimensions = { TopicName = module.notifications.name }
      usd        = local.usd.sns.publish
    }
    "Logs" = {
      namespace  = "AWS/Logs"
      metric     = "IncomingBytes"
      dimensions = { LogGroupName = module.process_image.log_group_name }
      usd        = local.usd.cloudwatch.log_gb / 1000000000
    }
  })

  budget = one([for budget in var.observe.budget[*] : merge(budget, {
    tag = { key = "Application", value = lookup(var.tags, "Application", var.name) }
  })])

  schemas = { for name, contract in local.contracts : name => contract if var.observe.schemas }

  queries = { for name, query in local.queries : name => query if var.observe.save_queries }
}

locals {
  findings = try(var.observe.findings, false)

  # By name, ARN or URL. Every resource's name begins with the pipeline's name and a hyphen, except bus, key and API.
  observed_ids = concat(
    [{ prefix = "${var.name}-" }, { wildcard = "*:${var.name}-*" }, { wildcard = "*/${var.name}-*" }],
    [module.bus.arn, module.key.arn, module.key.id],
    [for api in module.api : { suffix = "/restapis/${api.id}" }],
  )
}

# Findings of Security Hub and AWS Config in these resources, on the default bus, if the account uses these services.
module "findings" {
  source = "./modules/event_bus"
  count  = local.findings ? 1 : 0

  name   = "default"
  prefix = "${var.name}-findings"

  permissions_boundary_arn = var.permissions_boundary_arn

  rules = {
    for name, pattern in {
      # A control that passes is also a finding, an informational one.
      security-hub = {
        source      = ["aws.securityhub"]
        detail-type = ["Security Hub Findings - Imported"]
        detail = { findings = {
          RecordState = ["ACTIVE"]
          Resources   = { Id = local.observed_ids }
          Severity    = { Label = [{ anything-but = "INFORMATIONAL" }] }
          Workflow    = { Status = ["NEW"] }
        } }
      }
      config = {
        source      = ["aws.config"]
        detail-type = ["Config Rules Compliance Change"]
        detail      = { newEvaluationResult = { complianceType = ["NON_COMPLIANT"] }, resourceId = local.observed_ids }
      }
      } : name => {
      pattern = jsonencode(pattern)
      targets = { for number, arn in var.observe.alarm_topic_arns : "topic-${number}" => { arn = arn } }
    }
  }
}

locals {
  # EventBridge's registry accepts JSON Schema draft 4, which has no `const`: an enumeration of one value is the same.
  details = {
    for file in fileset("${path.module}/../events", "*/[0-9]*.json") :
    file => jsondecode(replace(file("${path.module}/../events/${file}"), "/\"const\":\\s*(\"[^\"]*\"|[0-9]+)/", "\"enum\": [$1]"))
  }

  # Whole events, as rules deliver them.
  contracts = {
    for file, detail in local.details : replace(trimsuffix(file, ".json"), "/", "-") => {
      description = detail.description
      content = jsonencode({
        "$schema" = "http://json-schema.org/draft-04/schema#"
        title     = detail.title
        type      = "object"
        required  = ["detail", "detail-type", "source"]
        properties = merge(
          { for name, values in jsondecode(file("${path.module}/../events/${dirname(file)}/pattern.json")) : name => { enum = values } },
          { detail = { for keyword, value in detail : keyword => value if keyword != "$schema" } },
        )
      })
    }
  }
}

locals {
  queries = merge(local.pipeline_queries, {
    for function in module.reconcile : "differences" => {
      log_groups = [function.log_group_name]
      query      = <<-EOT
        fields @timestamp, kind, image_id, version, message
        | filter ispresent(kind)
        | sort @timestamp desc
      EOT
    }
  })

  pipeline_queries = {
    # The workflow's log contributes the last line of a failed execution; its other lines have the same `execution_arn`.
    "everything about one image" = {
      log_groups = concat(
        [module.process_image.log_group_name, module.record_image.log_group_name],
        module.presign_upload[*].log_group_name,
        module.reconcile[*].log_group_name,
      )
      query = <<-EOT
        # Replace both IMAGE by the image's id.
        fields @timestamp, level, message, version, dedup_id, details.cause, execution_arn, @log
        | filter image_id = "IMAGE" or details.cause like "image_id IMAGE failed"
        | sort @timestamp asc
      EOT
    }
    "failed messages" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        # The last two fields belong to invocations that failed completely. Python's runtime also logs log_level.
        fields @timestamp, image_id, message_id, exception_name, exception, errorType, errorMessage
        | filter level = "ERROR" or log_level = "ERROR"
        | sort @timestamp desc
      EOT
    }
    "slowest images" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        fields @timestamp, image_id, UploadToAnnounced, Fetch, Decode, Scale, Encode, Store, Megapixels
        | filter ispresent(UploadToAnnounced) and ispresent(image_id)
        | sort UploadToAnnounced desc
        | limit 50
      EOT
    }
    "rejections by reason" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        filter ispresent(reason) and ispresent(dedup_id)
        | stats count(*) as images by reason
        | sort images desc
      EOT
    }
    "cold starts" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        filter type = "platform.report" and ispresent(record.metrics.initDurationMs)
        | stats count(*) as starts, avg(record.metrics.initDurationMs) as average_ms, max(record.metrics.initDurationMs) as longest_ms by bin(1h)
      EOT
    }
  }
}
