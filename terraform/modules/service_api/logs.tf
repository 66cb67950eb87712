locals {
  access_log_group     = "/aws/apigateway/${var.name}"
  access_log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.access_log_group}"

  # One JSON object per request: caller, route, status, and the service's status. Callers can choose the request id with
  # the header X-Amzn-RequestId, but not the extended request id.
  access_log = {
    request_id         = "$context.requestId"
    extended_id        = "$context.extendedRequestId"
    at                 = "$context.requestTime"
    caller             = "$context.${local.principal}"
    ip                 = "$context.identity.sourceIp"
    method             = "$context.httpMethod"
    route              = "$context.resourcePath"
    path               = "$context.path"
    status             = "$context.status"
    bytes              = "$context.responseLength"
    milliseconds       = "$context.responseLatency"
    integration_status = "$context.integration.status"
    error              = "$context.error.responseType"
    trace              = "$context.xrayTraceId"
  }
}

resource "aws_cloudwatch_log_group" "access" {
  count = var.logging == null ? 0 : 1

  name              = local.access_log_group
  kms_key_id        = var.key_arn
  retention_in_days = var.logging.retention_days

  tags = var.tags
}

resource "aws_cloudwatch_log_group" "execution" {
  count = var.logging == null ? 0 : 1

  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${var.stage}"
  kms_key_id        = var.key_arn
  retention_in_days = var.logging.retention_days

  tags = var.tags
}
