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

run "a_route_is_an_operation_with_its_integration" {
  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].uri == "arn:aws:apigateway:eu-central-1:dynamodb:action/GetItem"
    error_message = "The integration must call the service in its region: ${aws_api_gateway_rest_api.this.body}"
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].credentials == aws_iam_role.this.arn
    error_message = "The integration must act in the API's role."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].passthroughBehavior == "never"
    error_message = "A route with templates must take no content type that has none."
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

run "every_answer_is_safe_to_show" {
  assert {
    condition = alltrue(flatten([
      for methods in values(jsondecode(aws_api_gateway_rest_api.this.body).paths) : [
        for operation in values(methods) : [
          for response in values(operation["x-amazon-apigateway-integration"].responses) :
          response.responseParameters["method.response.header.X-Content-Type-Options"] == "'nosniff'"
        ]
      ]
    ]))
    error_message = "Every answer must say nosniff."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}/{part+}"].put["x-amazon-apigateway-integration"].responses["200"].responseParameters["method.response.header.Cache-Control"] == "'private'"
    error_message = "A route may say how its answer is cached."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].responses["200"].responseParameters["method.response.header.Cache-Control"] == "'no-store'"
    error_message = "Unless told otherwise, nothing is cached."
  }

  assert {
    condition = alltrue([
      for response in values(jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"]) :
      length(jsondecode(response.responseTemplates["application/json"]).error.code) > 0 && !strcontains(response.responseTemplates["application/json"], "$")
    ])
    error_message = "What API Gateway answers by itself must have the same shape, and nothing of what is inside."
  }
}

run "callers_sign_unless_told_otherwise" {
  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes.iam["x-amazon-apigateway-authtype"] == "awsSigv4"
    error_message = "IAM must be the default."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get.security == [{ iam = [] }]
    error_message = "Every route must ask for it."
  }

  assert {
    condition     = output.principal == "identity.user"
    error_message = "The caller is the user: ${output.principal}"
  }
}

run "a_user_pool_is_asked_for_its_scopes" {
  variables {
    authorization = {
      type           = "COGNITO_USER_POOLS"
      user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a"]
      scopes         = ["orders/read"]
    }
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get.security == [{ cognito = ["orders/read"] }] && output.principal == "authorizer.claims.sub"
    error_message = "The token must carry the scope, and names the caller by its sub."
  }
}

run "a_function_can_say_who_calls" {
  variables {
    authorization = { type = "LAMBDA", function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:who" }
  }

  assert {
    condition     = strcontains(jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes.function["x-amazon-apigateway-authorizer"].authorizerUri, var.authorization.function_arn) && output.principal == "authorizer.principalId"
    error_message = "The function must be asked, and names the caller."
  }

  assert {
    condition     = length(aws_iam_role_policy.authorizer) == 1
    error_message = "The role must be allowed to call it."
  }
}

run "keys_come_with_a_plan" {
  variables {
    authorization = { type = "API_KEY" }
    api_keys      = ["alice"]
    usage_plan    = { rate = 5, burst = 6, quota = { limit = 7, period = "DAY" } }
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get.security == [{ api_key = [] }] && output.principal == "identity.apiKeyId"
    error_message = "The key must be asked for, and names the caller."
  }

  assert {
    condition     = aws_api_gateway_usage_plan.this[0].throttle_settings[0].rate_limit == 5 && aws_api_gateway_usage_plan.this[0].quota_settings[0].limit == 7
    error_message = "The plan must limit each key."
  }
}

run "other_origins_are_let_in_by_a_variable" {
  variables {
    cors = { origins = ["https://shop.example"] }
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Allow-Methods"] == "'GET,OPTIONS'"
    error_message = "The preflight must name the path's methods."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options.security == []
    error_message = "A preflight has no credentials."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"].THROTTLED.responseParameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://shop.example'"
    error_message = "A page must be able to read errors too."
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
    error_message = "Every response must name the origin: ${aws_api_gateway_rest_api.this.body}"
  }

  assert {
    condition     = !contains(keys(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default), "responseTemplates")
    error_message = "There is nothing to choose."
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

run "browsers_may_send_credentials_and_read_what_they_need" {
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
    error_message = "Tokens, keys, signatures and the routes' own headers must be admitted: ${aws_api_gateway_rest_api.this.body}"
  }

  assert {
    condition     = length(regexall("(?i)content-type", jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].options["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Allow-Headers"])) == 1
    error_message = "A header must be named once, however it is spelled."
  }

  assert {
    condition = alltrue([
      for headers in [
        jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].put["x-amazon-apigateway-integration"].responses.default.responseParameters["method.response.header.Access-Control-Expose-Headers"],
        jsondecode(aws_api_gateway_rest_api.this.body)["x-amazon-apigateway-gateway-responses"].THROTTLED.responseParameters["gatewayresponse.header.Access-Control-Expose-Headers"],
      ] : length(setintersection(split(",", trim(headers, "'")), ["ETag", "Location", "Retry-After"])) == 3
    ])
    error_message = "A page must be able to read where an image is, what it is and when to try again: ${aws_api_gateway_rest_api.this.body}"
  }
}

run "without_it_there_is_no_preflight" {
  assert {
    condition     = keys(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"]) == ["get"]
    error_message = "No other origin is let in unasked."
  }
}

run "logs_are_encrypted_and_forgotten" {
  assert {
    condition     = aws_cloudwatch_log_group.access[0].kms_key_id == var.key_arn && aws_cloudwatch_log_group.execution[0].kms_key_id == var.key_arn && aws_cloudwatch_log_group.access[0].retention_in_days == 30
    error_message = "Both log groups must be encrypted and forget."
  }

  assert {
    condition     = aws_cloudwatch_log_group.execution[0].name == "API-Gateway-Execution-Logs_abc123/v1"
    error_message = "It must be the group that API Gateway writes to: ${aws_cloudwatch_log_group.execution[0].name}"
  }

  assert {
    condition     = jsondecode(aws_api_gateway_stage.this.access_log_settings[0].format).caller == "$context.identity.user"
    error_message = "The access log must say who called."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_stage.this.access_log_settings[0].format).extended_id == "$context.extendedRequestId"
    error_message = "The access log must have the id that callers cannot choose."
  }
}

run "nothing_is_logged_by_default" {
  variables {
    logging = null
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.access) + length(aws_cloudwatch_log_group.execution) + length(aws_api_gateway_stage.this.access_log_settings) == 0
    error_message = "Without the account's role for logs, AWS refuses a stage that has them."
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].logging_level == "OFF" && length(output.log_group_arns) == 0 && output.log_group_name == null
    error_message = "Nor may executions be logged: ${jsonencode(aws_api_gateway_method_settings.this.settings)}"
  }
}

run "an_origin_is_written_as_browsers_send_it" {
  command = plan

  variables {
    cors = { origins = ["https://shop.example/", "HTTPS://shop.example"] }
  }

  expect_failures = [var.cors]
}

run "any_origin_is_not_one_of_several" {
  command = plan

  variables {
    cors = { origins = ["*", "https://shop.example"] }
  }

  expect_failures = [var.cors]
}

run "requests_are_limited_traced_and_measured_unasked" {
  assert {
    condition     = aws_api_gateway_method_settings.this.method_path == "*/*" && aws_api_gateway_method_settings.this.stage_name == "v1"
    error_message = "The settings must be those of every route: ${aws_api_gateway_method_settings.this.method_path}"
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].throttling_rate_limit == 50 && aws_api_gateway_method_settings.this.settings[0].throttling_burst_limit == 100
    error_message = "Without a limit one caller uses up the account's: ${jsonencode(aws_api_gateway_method_settings.this.settings)}"
  }

  assert {
    condition     = aws_api_gateway_stage.this.xray_tracing_enabled && aws_api_gateway_method_settings.this.settings[0].metrics_enabled
    error_message = "Requests must be traced and measured."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.this.settings[0].data_trace_enabled && aws_api_gateway_method_settings.this.settings[0].logging_level == "ERROR"
    error_message = "What users send must not be logged."
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 0 && length(aws_api_gateway_rest_api.this.binary_media_types) == 0 && var.policy == null
    error_message = "No firewall, no bytes, no policy unless asked for."
  }
}

run "limits_and_traces_are_as_told" {
  variables {
    throttling = { rate = 7, burst = 9 }
    tracing    = false
    logging    = { level = "OFF" }
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].throttling_rate_limit == 7 && aws_api_gateway_method_settings.this.settings[0].throttling_burst_limit == 9
    error_message = "The limits must be those that are told: ${jsonencode(aws_api_gateway_method_settings.this.settings)}"
  }

  assert {
    condition     = !aws_api_gateway_stage.this.xray_tracing_enabled && aws_api_gateway_method_settings.this.settings[0].logging_level == "OFF"
    error_message = "Tracing and logging can be turned off."
  }
}

run "a_firewall_stands_before_the_stage" {
  variables {
    web_acl = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0" }
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this[0].resource_arn == aws_api_gateway_stage.this.arn && aws_wafv2_web_acl_association.this[0].web_acl_arn == var.web_acl.arn
    error_message = "The firewall must be put before the stage: ${jsonencode(aws_wafv2_web_acl_association.this)}"
  }
}

run "bytes_stay_bytes" {
  variables {
    binary_media_types = ["*/*"]
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.binary_media_types == tolist(["*/*"])
    error_message = "API Gateway must know what is no text: ${jsonencode(aws_api_gateway_rest_api.this.binary_media_types)}"
  }

  assert {
    condition = jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}/{part+}"].put["x-amazon-apigateway-integration"].responses["200"].contentHandling == "CONVERT_TO_BINARY" && alltrue([
      for response in values(jsondecode(aws_api_gateway_rest_api.this.body).paths["/orders/{id}"].get["x-amazon-apigateway-integration"].responses) : response.contentHandling == "CONVERT_TO_TEXT"
    ])
    error_message = "What has a template is text, what goes through is bytes, whatever a caller accepts."
  }

  # A template cannot read bytes: API Gateway answers 500, even if the request has no body.
  assert {
    condition = {
      for method in ["get", "put"] : method => try(one([for path in values(jsondecode(aws_api_gateway_rest_api.this.body).paths) : path[method]["x-amazon-apigateway-integration"].contentHandling if can(path[method])]), null)
    } == { get = "CONVERT_TO_TEXT", put = null }
    error_message = "A request with a template is text, one without goes through as it is."
  }
}

run "a_policy_of_the_api_is_its_own" {
  variables {
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "execute-api:Invoke", Resource = "*" }] })
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.policy) == jsondecode(var.policy)
    error_message = "The policy must be put on the API: ${aws_api_gateway_rest_api.this.policy}"
  }
}

run "mistakes_are_refused_first" {
  command = plan

  variables {
    authorization = { type = "NOBODY" }
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

run "asking_for_keys_without_any_is_refused" {
  command = plan

  variables {
    authorization = { type = "API_KEY" }
  }

  expect_failures = [aws_api_gateway_rest_api.this]
}
