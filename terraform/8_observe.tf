# In:         what every part of the pipeline measures of itself.
# Out:        a dashboard, alarms to the topics of your choice, saved queries.
# On failure: nothing of the pipeline depends on this file.

locals {
  # Powertools writes the function's own metrics under this name.
  function_metrics = { namespace = var.name, dimensions = { service = "process_image" } }

  # By service and unit. `darkroom cost` counts with the same, and in full: this here is for seeing what dominates.
  usd = { for service, prices in jsondecode(file("${path.module}/prices.json")).services : service => prices.usd }

  # An express execution of a tenth of a second, in the least memory; the states that a processed image enters.
  usd_express         = local.usd.step_functions.express_request + 0.1 * 64 / 1024 * local.usd.step_functions.express_gb_second
  record_image_states = 15 + length(var.variants)

  observed_rules = merge(
    { for key, name in module.uploads_rules.rule_names : key => { name = name, bus = "default" } },
    { for key, name in module.bus.rule_names : key => { name = name, bus = module.bus.name } },
  )
}

module "observability" {
  source = "./modules/observability"
  count  = var.observe == null ? 0 : 1

  name             = var.name
  alarm_topic_arns = var.observe.alarm_topic_arns

  queues    = { uploads = { name = module.uploads.name, max_age = var.observe.max_wait } }
  rules     = local.observed_rules
  tables    = { images = module.images.name }
  topics    = { notifications = module.notifications.name }
  workflows = { record_image = module.record_image.arn }
  apis      = { for api in module.api : "api" => { api = api.name, stage = api.stage } }

  functions = merge(
    { process_image = { name = module.process_image.name, timeout = module.process_image.timeout } },
    { for function in module.presign_upload : "presign_upload" => { name = function.name, timeout = function.timeout } },
    # It works for as long as it may, and stops in time: what takes longer is an error.
    { for function in module.reconcile : "reconcile" => { name = function.name, timeout = function.timeout, slow = 1 } },
  )

  findings = {
    for function in module.reconcile : "differences" => {
      namespace  = var.name
      metric     = "DifferencesFound"
      dimensions = { service = "reconcile" }
      advice     = "Originals, derivatives and records differ. The log of ${function.name} names each image and what became of it. ${local.reconcile_repairs ? "It was repaired unless that says otherwise; ask what was lost, and why." : "Look, then `darkroom reconcile --repair`."}"
    }
  }

  dead_letter_queues = merge(
    {
      for queue in module.reconcile_dlq :
      "reconcile" => { name = queue.name, advice = "The scheduled comparison failed, or could not be called. Its log says why; the next run goes on, so delete what rests here." }
    },
    {
      uploads       = { name = module.uploads.dlq_name, advice = "These uploads failed five times. The function's log says why, by their message ids; mend it, then redrive: they are S3's own events." }
      uploads_rules = { name = module.uploads_rules.dlq_name, advice = "EventBridge could not deliver S3's events to the queue. Mend the policies of queue and key, then redrive." }
      bus           = { name = module.bus.dlq_name, advice = "EventBridge could not start the workflow. Mend the rule's role, then redrive or replay the archive." }
      record_image  = { name = module.record_image_dlq.name, advice = "These images are processed but not recorded, or recorded but not announced. The workflow's log says why; then redrive: recording twice does no harm." }
      notifications = { name = module.notifications.dlq_name, advice = "A subscriber did not take these notifications. Ask its owner, then redrive." }
    },
  )

  outcomes = merge(local.function_metrics, {
    good           = "ImageProcessed"
    bad            = "ImageRejected"
    bad_by         = "reason"
    others         = ["ImageDeleted", "MessagesFailed"]
    bad_share      = var.observe.rejected_share
    expected_every = var.observe.expected_every
  })

  # From S3's event to the notification: what the function measures, what the bus takes, what the workflow takes.
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

  # S3's requests have no metrics of their own unless paid for: every image is read, and looked for, and there is a
  # write for each derivative.
  costs = {
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
  }

  queries = { for name, query in local.queries : name => query if var.observe.save_queries }
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
    "everything about one image" = {
      log_groups = [module.process_image.log_group_name, module.record_image.log_group_name]
      query      = <<-EOT
        # Put the image's id between the quotation marks.
        fields @timestamp, level, message, version, dedup_id, @log
        | filter image_id = "IMAGE" or details.input like "IMAGE"
        | sort @timestamp asc
      EOT
    }
    "failed messages" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        fields @timestamp, image_id, message_id, exception_name, exception
        | filter level = "ERROR"
        | sort @timestamp desc
      EOT
    }
    "slowest images" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        fields @timestamp, image_id, UploadToAnnounced, Fetch, Decode, Scale, Encode, Store, Megapixels
        | filter ispresent(UploadToAnnounced)
        | sort UploadToAnnounced desc
        | limit 50
      EOT
    }
    "rejections by reason" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        filter ispresent(reason)
        | stats count(*) as images by reason
        | sort images desc
      EOT
    }
    "cold starts" = {
      log_groups = [module.process_image.log_group_name]
      query      = <<-EOT
        filter @type = "REPORT" and ispresent(@initDuration)
        | stats count(*) as starts, avg(@initDuration) as average_ms, max(@initDuration) as longest_ms by bin(1h)
      EOT
    }
  }
}
