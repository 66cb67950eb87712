# Settings of the resources, with a mocked provider. Offline.

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

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/shop" }
  }

  mock_resource "aws_api_gateway_rest_api" {
    defaults = { id = "abc123" }
  }

  mock_resource "aws_api_gateway_stage" {
    defaults = { arn = "arn:aws:apigateway:eu-central-1::/restapis/abc123/stages/v1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:shop" }
  }
}

variables {
  name    = "shop"
  key_arn = "arn:aws:kms:eu-central-1:123456789012:key/shop"
  logging = {}

  routes = {
    "GET /orders/{id}" = {
      request = { querystrings = { detail = false } }
      integration = {
        service   = "dynamodb:action/GetItem"
        templates = { "application/json" = "request" }
        responses = {
          "200"   = { status = 200, template = "found" }
          default = { status = 500, template = "failed" }
        }
      }
    }

    "PUT /orders/{id}/{part+}" = {
      request = { headers = { Content-Type = true }, schema = jsonencode({ type = "object" }) }
      integration = {
        service    = "s3:path/orders/{key}"
        method     = "PUT"
        parameters = { "path.key" = "method.request.path.part" }
        responses = {
          "200"   = { status = 200, headers = { ETag = "integration.response.header.ETag", Cache-Control = "'private'" } }
          default = { status = 500, template = "failed" }
        }
      }
    }
  }
}

run "route_is_an_operation_with_an_integration" {
  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].uri == "arn:aws:apigateway:eu-central-1:dynamodb:action/GetItem"
    error_message = "The integration must call the service in its region: ${aws_api_gateway_rest_api.this.body}"
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].credentials == aws_iam_role.this.arn
    error_message = "The integration must use the API's role."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].passthroughBehavior == "never"
    error_message = "A route with templates must reject content types without a template."
  }

  assert {
    condition = [for parameter in jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}/{part+}"].put.parameters : "${parameter.in} ${parameter.name} ${parameter.required}"] == [
      "path id true", "path part true", "header Content-Type true",
    ]
    error_message = "Every part of the path and every header must be declared."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}/{part+}"].put["x-amazon-apigateway-integration"].requestParameters == { "integration.request.path.key" = "method.request.path.part" }
    error_message = "Parameters must reach the service's request."
  }
}

run "responses_reveal_no_details" {
  assert {
    condition = alltrue(flatten([
      for methods in values(jsondecode(aws_api_gateway_rest_api.this.body).paths) : [
        for operation in values(methods) : [
          for response in values(operation["x-amazon-apigateway-integration"].responses) :
          response.responseParameters["method.response.header.X-Content-Type-Options"] == "'nosniff'"
        ]
      ]
    ]))
    error_message = "Every response must have nosniff."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}/{part+}"].put["x-amazon-apigateway-integration"].responses["200"].responseParameters["method.response.header.Cache-Control"] == "'private'"
    error_message = "A route must be able to set the caching of its response."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].responses["200"].responseParameters["method.response.header.Cache-Control"] == "'no-store'"
    error_message = "Responses must not be cached by default."
  }

  assert {
    condition = alltrue([
      for response in values(jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"]) :
      length(jsondecode(response.responseTemplates["application/json"]).error.code) > 0 && !strcontains(response.responseTemplates["application/json"], "$")
    ])
    error_message = "Errors of API Gateway itself must have the same format, without internal details."
  }
}

run "callers_sign_by_default" {
  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes.iam["x-amazon-apigateway-authtype"] == "awsSigv4"
    error_message = "The default authorization must be IAM."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get.security == [{ iam = [] }]
    error_message = "Every route must require the authorization."
  }

  assert {
    condition     = output.principal == "identity.user"
    error_message = "The caller must be identified by the user's ARN: ${output.principal}"
  }
}

run "user_pool_token_needs_a_scope" {
  variables {
    authorization = {
      type           = "COGNITO_USER_POOLS"
      user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a"]
      scopes         = ["orders/read"]
    }
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get.security == [{ cognito = ["orders/read"] }] && output.principal == "authorizer.claims.sub"
    error_message = "The token must have the scope, and its sub must identify the caller."
  }
}

run "function_can_identify_the_caller" {
  variables {
    authorization = { type = "LAMBDA", function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:who" }
  }

  assert {
    condition     = strcontains(jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes.function["x-amazon-apigateway-authorizer"].authorizerUri, var.authorization.function_arn) && output.principal == "authorizer.principalId"
    error_message = "The function must authorize the request and identify the caller."
  }

  assert {
    condition     = length(aws_iam_role_policy.authorizer) == 1
    error_message = "The role must be allowed to invoke the function."
  }
}

run "keys_have_a_usage_plan" {
  variables {
    authorization = { type = "API_KEY" }
    api_keys      = ["alice"]
    usage_plan    = { rate = 5, burst = 6, quota = { limit = 7, period = "DAY" } }
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get.security == [{ api_key = [] }] && output.principal == "identity.apiKeyId"
    error_message = "The key must be required, and its id must identify the caller."
  }

  assert {
    condition     = aws_api_gateway_usage_plan.this[0].throttle_settings[0].rate_limit == 5 && aws_api_gateway_usage_plan.this[0].quota_settings[0].limit == 7
    error_message = "The usage plan must limit each key."
  }
}

run "cors_adds_a_preflight_to_each_path" {
  variables {
    cors = { origins = ["https://shop.example"] }
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Allow-Methods"] == "'GET,OPTIONS'"
    error_message = "The preflight response must have the path's methods."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options.security == []
    error_message = "A preflight must not require credentials."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"].THROTTLED.responseParameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://shop.example'"
    error_message = "A page must be able to read errors."
  }
}

run "one_origin_is_on_every_response" {
  variables {
    cors = { origins = ["https://shop.example"] }
  }

  assert {
    condition = alltrue(flatten([
      for methods in values(jsondecode(aws_api_gateway_rest_api.this.body).paths) : [
        for operation in values(methods) : [
          for response in values(operation["x-amazon-apigateway-integration"].responses) :
          response.responseParameters["method.response.header.Access-Control-Allow-Origin"] == "'https://shop.example'" && !contains(keys(response), "method.response.header.Vary")
        ]
      ]
    ]))
    error_message = "Every response must have the origin: ${aws_api_gateway_rest_api.this.body}"
  }

  assert {
    condition     = !contains(keys(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default), "responseTemplates")
    error_message = "With one origin, there must be no template to choose one."
  }
}

run "preflight_distinguishes_several_origins" {
  variables {
    cors = { origins = ["https://shop.example", "http://localhost:3000"] }
  }

  assert {
    condition = alltrue([
      for options in [jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default] :
      !contains(keys(options.responseParameters), "method.response.header.Access-Control-Allow-Origin")
      && options.responseParameters["method.response.header.Vary"] == "'Origin'"
      && strcontains(options.responseTemplates["application/json"], "[\"http://localhost:3000\",\"https://shop.example\"]")
      && options.contentHandling == "CONVERT_TO_TEXT"
    ])
    error_message = "The template must choose among the origins: ${jsonencode(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options)}"
  }

  assert {
    condition = alltrue(concat(
      [
        for response in values(jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"]) :
        response.responseParameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
      ],
      [
        for response in values(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].responses) :
        response.responseParameters["method.response.header.Access-Control-Allow-Origin"] == "'*'"
      ],
    ))
    error_message = "Every other response must be readable from any origin: ${aws_api_gateway_rest_api.this.body}"
  }
}

run "cors_allows_credentials_and_headers" {
  variables {
    cors = { origins = ["https://shop.example"] }

    routes = {
      "PUT /orders/{id}" = {
        request = { headers = { X-Order = true, content-type = true } }
        integration = {
          service   = "dynamodb:action/PutItem"
          responses = { default = { status = 200, template = "done" } }
        }
      }
    }
  }

  assert {
    condition = toset([
      for header in split(",", trim(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Allow-Headers"], "'")) : lower(header)
      ]) == toset([
      "authorization", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent", "x-api-key", "x-order",
    ])
    error_message = "Headers of tokens, keys, signatures and routes must be allowed: ${aws_api_gateway_rest_api.this.body}"
  }

  assert {
    condition     = length(regexall("(?i)content-type", jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Allow-Headers"])) == 1
    error_message = "A header must be listed once, in any case."
  }

  assert {
    condition = alltrue([
      for headers in [
        jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].put["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Expose-Headers"],
        jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"].THROTTLED.responseParameters["gatewayresponse.header.Access-Control-Expose-Headers"],
      ] : length(setintersection(split(",", trim(headers, "'")), ["ETag", "Location", "Retry-After"])) == 3
    ])
    error_message = "A page must be able to read the headers of location, type and retry: ${aws_api_gateway_rest_api.this.body}"
  }
}

run "cors_is_off_by_default" {
  assert {
    condition     = keys(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"]) == ["get"]
    error_message = "No other origin may have access by default."
  }
}

run "logs_are_encrypted_with_a_retention" {
  assert {
    condition     = aws_cloudwatch_log_group.access[0].kms_key_id == var.key_arn && aws_cloudwatch_log_group.execution[0].kms_key_id == var.key_arn && aws_cloudwatch_log_group.access[0].retention_in_days == 30
    error_message = "Both log groups must be encrypted and have a retention."
  }

  assert {
    condition     = aws_cloudwatch_log_group.execution[0].name == "API-Gateway-Execution-Logs_abc123/v1"
    error_message = "The name must be that of the group API Gateway writes to: ${aws_cloudwatch_log_group.execution[0].name}"
  }

  assert {
    condition     = jsondecode(aws_api_gateway_stage.this.access_log_settings[0].format).caller == "$context.identity.user"
    error_message = "The log of requests must have the caller."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_stage.this.access_log_settings[0].format).extended_id == "$context.extendedRequestId"
    error_message = "The log of requests must have the id that callers cannot choose."
  }
}

run "logs_are_off_by_default" {
  variables {
    logging = null
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.access) + length(aws_cloudwatch_log_group.execution) + length(aws_api_gateway_stage.this.access_log_settings) == 0
    error_message = "Logs must be off by default: AWS refuses them without the account's role for logs."
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].logging_level == "OFF" && length(output.log_group_arns) == 0 && output.log_group_name == null
    error_message = "Executions must not be logged by default: ${jsonencode(aws_api_gateway_method_settings.this.settings)}"
  }
}

run "origin_with_a_path_is_refused" {
  command = plan

  variables {
    cors = { origins = ["https://shop.example/", "HTTPS://shop.example"] }
  }

  expect_failures = [var.cors]
}

run "wildcard_with_other_origins_is_refused" {
  command = plan

  variables {
    cors = { origins = ["*", "https://shop.example"] }
  }

  expect_failures = [var.cors]
}

run "defaults_limit_trace_and_measure_requests" {
  assert {
    condition     = aws_api_gateway_method_settings.this.method_path == "*/*" && aws_api_gateway_method_settings.this.stage_name == "v1"
    error_message = "The settings must apply to every route: ${aws_api_gateway_method_settings.this.method_path}"
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].throttling_rate_limit == 50 && aws_api_gateway_method_settings.this.settings[0].throttling_burst_limit == 100
    error_message = "There must be a limit, so no caller uses up the account's limit: ${jsonencode(aws_api_gateway_method_settings.this.settings)}"
  }

  assert {
    condition     = aws_api_gateway_stage.this.xray_tracing_enabled && aws_api_gateway_method_settings.this.settings[0].metrics_enabled
    error_message = "Requests must be traced and measured."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.this.settings[0].data_trace_enabled && aws_api_gateway_method_settings.this.settings[0].logging_level == "ERROR"
    error_message = "Users' data must not be logged."
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 0 && length(aws_api_gateway_rest_api.this.binary_media_types) == 0 && var.policy == null
    error_message = "Web ACL, binary types and policy must be off by default."
  }
}

run "limits_and_tracing_can_be_set" {
  variables {
    throttling = { rate = 7, burst = 9 }
    tracing    = false
    logging    = { level = "OFF" }
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].throttling_rate_limit == 7 && aws_api_gateway_method_settings.this.settings[0].throttling_burst_limit == 9
    error_message = "The limits must be the given ones: ${jsonencode(aws_api_gateway_method_settings.this.settings)}"
  }

  assert {
    condition     = !aws_api_gateway_stage.this.xray_tracing_enabled && aws_api_gateway_method_settings.this.settings[0].logging_level == "OFF"
    error_message = "Tracing and logging must be off."
  }
}

run "web_acl_protects_the_stage" {
  variables {
    web_acl = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0" }
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this[0].resource_arn == aws_api_gateway_stage.this.arn && aws_wafv2_web_acl_association.this[0].web_acl_arn == var.web_acl.arn
    error_message = "The web ACL must be associated with the stage: ${jsonencode(aws_wafv2_web_acl_association.this)}"
  }
}

run "bytes_are_passed_unchanged" {
  variables {
    binary_media_types = ["*/*"]
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.binary_media_types == tolist(["*/*"])
    error_message = "API Gateway must have the binary types: ${jsonencode(aws_api_gateway_rest_api.this.binary_media_types)}"
  }

  assert {
    condition = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}/{part+}"].put["x-amazon-apigateway-integration"].responses["200"].contentHandling == "CONVERT_TO_BINARY" && alltrue([
      for response in values(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].responses) : response.contentHandling == "CONVERT_TO_TEXT"
    ])
    error_message = "A response with a template must be text, one without must be bytes, for any Accept header."
  }

  # A template cannot read bytes: API Gateway returns 500, even if the request has no body.
  assert {
    condition = {
      for method in ["get", "put"] : method => try(one([for path in values(jsondecode(aws_api_gateway_rest_api.this.body).paths) : path[method]["x-amazon-apigateway-integration"].contentHandling if can(path[method])]), null)
    } == { get = "CONVERT_TO_TEXT", put = null }
    error_message = "A request with a template must be text, one without must be passed unchanged."
  }
}

run "api_has_the_given_policy" {
  variables {
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "execute-api:Invoke", Resource = "*" }] })
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.policy) == jsondecode(var.policy)
    error_message = "The API must have the policy: ${aws_api_gateway_rest_api.this.policy}"
  }
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    authorization = { type = "PASSWORD" }
    cors          = { origins = ["shop.example"] }
    key_arn       = "shop"
    logging       = { level = "ALL" }
    name          = "a shop"
    permissions   = { authorizer = "{}" }
    stage         = "v 1"
    routes = {
      "FETCH orders" = { integration = { service = "dynamodb", responses = {} } }
    }
  }

  expect_failures = [var.authorization, var.cors, var.key_arn, var.logging, var.name, var.permissions, var.routes, var.stage]
}

run "two_responses_with_one_status_are_refused" {
  command = plan

  variables {
    routes = {
      "GET /orders" = {
        integration = {
          service   = "dynamodb:action/Query"
          responses = { "400" = { status = 500 }, default = { status = 500 } }
        }
      }
    }
  }

  expect_failures = [var.routes]
}

run "api_key_authorization_needs_a_key" {
  command = plan

  variables {
    authorization = { type = "API_KEY" }
  }

  expect_failures = [aws_api_gateway_rest_api.this]
}
