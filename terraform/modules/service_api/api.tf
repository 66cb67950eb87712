resource "aws_api_gateway_rest_api" "this" {
  name        = var.name
  description = var.description
  body        = local.body
  # Remove from the API anything that the body does not contain.
  put_rest_api_mode  = "overwrite"
  binary_media_types = var.binary_media_types
  policy             = var.policy

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  tags = var.tags

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.authorization.type != "API_KEY" || length(var.api_keys) > 0
      error_message = "API ${var.name} requires API keys but has none, so no caller has access: add a name to `api_keys`."
    }
  }
}

# A deployment is a copy of the API. A change of the routes needs a new one.
resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  triggers = {
    api = sha1(jsonencode([local.body, var.binary_media_types, var.policy]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV2_AWS_4:The level is that of `logging`, which checkov reads in plans only.
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  xray_tracing_enabled = var.tracing

  dynamic "access_log_settings" {
    for_each = var.logging[*]

    content {
      destination_arn = local.access_log_group_arn
      format          = jsonencode(local.access_log)
    }
  }

  tags = var.tags

  # Without this dependency, API Gateway would create the second log group, unencrypted and without a retention.
  depends_on = [aws_cloudwatch_log_group.access, aws_cloudwatch_log_group.execution]
}

resource "aws_api_gateway_method_settings" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    data_trace_enabled     = false # it would log users' data
    logging_level          = var.logging == null ? "OFF" : var.logging.level
    metrics_enabled        = true
    throttling_burst_limit = var.throttling.burst
    throttling_rate_limit  = var.throttling.rate
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.web_acl == null ? 0 : 1

  resource_arn = aws_api_gateway_stage.this.arn
  web_acl_arn  = var.web_acl.arn
}
