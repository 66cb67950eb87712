# The API as one OpenAPI document, built from the routes. API Gateway imports it as a whole.
locals {
  routes = {
    for name, route in var.routes : name => merge(route, {
      method          = lower(split(" ", name)[0])
      path            = split(" ", name)[1]
      path_parameters = [for found in regexall("{([^}+]+)[+]?}", split(" ", name)[1]) : found[0]]
    })
  }

  # Headers of every response, unless a route overrides them.
  headers = merge(
    { Cache-Control = "'no-store'", X-Content-Type-Options = "'nosniff'" },
    local.cors_headers,
  )

  origins = try(sort(var.cors.origins), [])

  # The value is a constant, or chosen by a response's template. Gateway responses and responses of bytes have no
  # template, so with several origins only the preflight response names the caller's origin.
  cors_headers = length(local.origins) == 0 ? {} : {
    Access-Control-Allow-Origin   = length(local.origins) == 1 ? "'${local.origins[0]}'" : "'*'"
    Access-Control-Expose-Headers = "'ETag,Location,Retry-After,x-amz-apigw-id,x-amzn-RequestId'"
  }

  operations = {
    for name, route in local.routes : name => merge(
      {
        security = route.authenticated ? local.security : []

        parameters = concat(
          [for parameter in route.path_parameters : { name = parameter, in = "path", required = true, schema = { type = "string" } }],
          [for header, required in route.request.headers : { name = header, in = "header", required = required, schema = { type = "string" } }],
          [for parameter, required in route.request.querystrings : { name = parameter, in = "query", required = required, schema = { type = "string" } }],
        )

        responses = {
          for response in values(route.integration.responses) : tostring(response.status) => {
            description = "Status ${response.status}"
            headers     = { for header in keys(merge(local.headers, response.headers)) : header => { schema = { type = "string" } } }
          }
        }

        x-amazon-apigateway-request-validator = route.request.schema == null ? "parameters" : "parameters_and_body"

        x-amazon-apigateway-integration = merge(
          {
            for handling in ["CONVERT_TO_TEXT"] : "contentHandling" => handling if length(route.integration.templates) > 0
          },
          {
            type                = "aws"
            uri                 = "arn:${local.partition}:apigateway:${local.region}:${route.integration.service}"
            httpMethod          = route.integration.method
            credentials         = aws_iam_role.this.arn
            passthroughBehavior = length(route.integration.templates) > 0 ? "never" : "when_no_match"
            timeoutInMillis     = route.integration.timeout * 1000
            requestParameters   = { for to, from in route.integration.parameters : "integration.request.${to}" => from }
            requestTemplates    = route.integration.templates

            responses = {
              for pattern, response in route.integration.responses : pattern => merge(
                {
                  statusCode         = tostring(response.status)
                  responseParameters = { for header, value in merge(local.headers, response.headers) : "method.response.header.${header}" => value }
                  # Without it, the caller's Accept header would decide whether text is decoded as base64.
                  contentHandling = response.template == null ? "CONVERT_TO_BINARY" : "CONVERT_TO_TEXT"
                },
                { for template in response.template[*] : "responseTemplates" => { "application/json" = template } },
              )
            }
          },
        )
      },
      {
        for schema in route.request.schema[*] : "requestBody" => {
          required = true
          content  = { "application/json" = { schema = { "$ref" = "#/components/schemas/${local.schema_names[name]}" } } }
        }
      },
    )
  }

  # A model's name can only have letters and digits.
  schema_names = { for name, route in var.routes : name => join("", [for word in regexall("[A-Za-z0-9]+", lower(name)) : title(word)]) }

  # The preflight request of browsers.
  preflights = {
    for path in distinct(values(local.routes)[*].path) : path => {
      for cors in var.cors[*] : "options" => {
        security = []

        parameters = [
          for found in regexall("{([^}+]+)[+]?}", path) : { name = found[0], in = "path", required = true, schema = { type = "string" } }
        ]

        responses = {
          "204" = {
            description = "Preflight request for other origins"
            headers     = { for header in keys(local.preflight_headers) : header => { schema = { type = "string" } } }
          }
        }

        x-amazon-apigateway-integration = {
          type                = "mock"
          contentHandling     = "CONVERT_TO_TEXT" # a preflight has no body, and bytes must not break the template
          passthroughBehavior = "never"
          requestTemplates    = { "application/json" = jsonencode({ statusCode = 204 }) }

          responses = {
            default = merge({
              statusCode = "204"
              responseParameters = {
                for header, value in merge(local.preflight_headers, {
                  Access-Control-Allow-Methods = "'${join(",", sort(concat(["OPTIONS"], [for route in values(local.routes) : upper(route.method) if route.path == path])))}'"
                }) : "method.response.header.${header}" => value if value != null
              }
              # As for the request: with `*/*` as binary type the response would be bytes, which no template can change.
              contentHandling = "CONVERT_TO_TEXT"
            }, { for template in compact([local.preflight_template]) : "responseTemplates" => { "application/json" = template } })
          }
        }
      }
    }
  }

  preflight_headers = {
    Access-Control-Allow-Headers = "'${join(",", values(local.request_headers))}'"
    Access-Control-Allow-Methods = "'OPTIONS'"
    Access-Control-Allow-Origin  = length(local.origins) == 1 ? "'${local.origins[0]}'" : null # otherwise the template sets it
    Access-Control-Max-Age       = "'${try(var.cors.max_age, 0)}'"
    Vary                         = length(local.origins) == 1 ? null : "'Origin'"
    X-Content-Type-Options       = "'nosniff'"
  }

  # Headers of a token, a key or a signature (AWS's signers for browsers send all of X-Amz-…), and headers that the
  # routes declare. Each once, because their names are not case-sensitive.
  request_headers = {
    for name, spellings in {
      for header in concat(
        ["Authorization", "Content-Type", "X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-User-Agent", "X-Api-Key"],
        flatten([for route in values(var.routes) : keys(route.request.headers)]),
      ) : lower(header) => header...
    } : name => spellings[0]
  }

  # Over HTTP/2, a browser's header is origin. The names in this map are case-sensitive.
  preflight_template = length(local.origins) == 1 ? "" : join("", [
    "#set($origins = ${jsonencode(local.origins)})",
    "#set($headers = $input.params().header)",
    "#set($origin = \"$!headers.get('origin')\")",
    "#if($origin == \"\")#set($origin = \"$!headers.get('Origin')\")#end",
    "#if($origins.contains($origin))#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end",
  ])

  document = {
    openapi = "3.0.1"
    info    = { title = var.name, description = var.description, version = "1" }

    paths = {
      for path in distinct(values(local.routes)[*].path) : path => merge(
        { for name, route in local.routes : route.method => local.operations[name] if route.path == path },
        local.preflights[path],
      )
    }

    components = {
      securitySchemes = local.security_schemes
      schemas         = { for name, route in var.routes : local.schema_names[name] => jsondecode(route.request.schema) if route.request.schema != null }
    }

    x-amazon-apigateway-request-validators = {
      parameters          = { validateRequestBody = false, validateRequestParameters = true }
      parameters_and_body = { validateRequestBody = true, validateRequestParameters = true }
    }

    x-amazon-apigateway-gateway-responses = {
      for type, error in local.gateway_errors : type => {
        statusCode         = error.status
        responseParameters = { for header, value in local.headers : "gatewayresponse.header.${header}" => value }
        responseTemplates  = { "application/json" = jsonencode({ error = { code = error.code, message = error.message } }) }
      }
    }
  }

  body = jsonencode(local.document)
}

# Errors of API Gateway itself, in the format of the routes' errors and without internal details.
locals {
  gateway_errors = {
    ACCESS_DENIED                  = { status = 403, code = "forbidden", message = "The caller is not allowed to make this request." }
    API_CONFIGURATION_ERROR        = local.gateway_failure
    AUTHORIZER_CONFIGURATION_ERROR = local.gateway_failure
    AUTHORIZER_FAILURE             = local.gateway_failure
    BAD_REQUEST_BODY               = { status = 400, code = "invalid_body", message = "The body is not valid for this route: see the API's documentation." }
    BAD_REQUEST_PARAMETERS         = { status = 400, code = "invalid_parameters", message = "A required parameter or header is missing: add it." }
    DEFAULT_4XX                    = { status = 400, code = "invalid_request", message = "The request is not valid: see the API's documentation." }
    DEFAULT_5XX                    = local.gateway_failure
    EXPIRED_TOKEN                  = { status = 403, code = "expired", message = "The request's credentials have expired." }
    INTEGRATION_FAILURE            = { status = 504, code = "unavailable", message = "A service did not answer: try again later." }
    INTEGRATION_TIMEOUT            = { status = 504, code = "unavailable", message = "A service did not answer: try again later." }
    INVALID_API_KEY                = { status = 403, code = "forbidden", message = "The caller is not allowed to make this request." }
    INVALID_SIGNATURE              = { status = 403, code = "forbidden", message = "The caller is not allowed to make this request." }
    # Also the error for an unknown path: API Gateway does not distinguish it from a request without a signature.
    MISSING_AUTHENTICATION_TOKEN = (contains(["AWS_IAM", "COGNITO_IDENTITY"], var.authorization.type)
      ? { status = 403, code = "forbidden", message = "The route does not exist, or the request is not signed." }
      : { status = 404, code = "not_found", message = "The route does not exist." }
    )
    QUOTA_EXCEEDED         = { status = 429, code = "quota_exceeded", message = "The quota is exceeded: try again in the next period." }
    REQUEST_TOO_LARGE      = { status = 413, code = "too_large", message = "The request is larger than 10 MB." }
    RESOURCE_NOT_FOUND     = { status = 404, code = "not_found", message = "The route does not exist." }
    THROTTLED              = { status = 429, code = "throttled", message = "Too many requests: try again later." }
    UNAUTHORIZED           = { status = 401, code = "unauthorized", message = "The request has no valid credentials: add them." }
    UNSUPPORTED_MEDIA_TYPE = { status = 415, code = "unsupported_media_type", message = "This route does not accept this content type." }
    WAF_FILTERED           = { status = 403, code = "forbidden", message = "The caller is not allowed to make this request." }
  }

  gateway_failure = { status = 500, code = "internal_error", message = "An internal error occurred: try again later." }
}
