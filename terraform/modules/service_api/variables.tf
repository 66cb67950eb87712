variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the logs. Its policy must allow logs.REGION.amazonaws.com for the log groups in `log_group_arns`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn ${var.key_arn} is not valid: use the ARN of a KMS key."
  }
}

variable "name" {
  description = "Name of the API. The log group of requests is /aws/apigateway/NAME, the role NAME-REGION."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "routes" {
  description = <<-EOT
    Routes by method and path, such as `"GET /orders/{id}"`. A route's `integration` has the `service` in API Gateway's
    notation (`dynamodb:action/GetItem`, `s3:path/{bucket}/{key}`, `sqs:path/ACCOUNT/QUEUE`) and its HTTP `method`.
    `templates` (VTL, by the request's content type; other types get a 415) create the body for the service; without
    templates the body is passed unchanged. `parameters` set `path.NAME`, `querystring.NAME` and `header.NAME` of that
    request from `method.request.…`, `context.…` or a `'constant'`. `responses` are by a regular expression for the
    service's status (for a function, its error's message; `default`: any other). They have a `status`, `headers` (as
    `parameters`) and a `template`; without one the service's body is passed as bytes. `request` lists the headers and
    query strings (true: required), and the JSON `schema` of the body. `timeout` is in seconds.
  EOT
  type = map(object({
    authenticated = optional(bool, true)
    integration = object({
      service    = string
      method     = optional(string, "POST")
      parameters = optional(map(string), {})
      templates  = optional(map(string), {})
      timeout    = optional(number, 29)
      responses = map(object({
        status   = number
        headers  = optional(map(string), {})
        template = optional(string)
      }))
    })
    request = optional(object({
      headers      = optional(map(bool), {})
      querystrings = optional(map(bool), {})
      schema       = optional(string)
    }), {})
  }))
  nullable = false

  validation {
    condition     = length(var.routes) > 0 && alltrue([for route in keys(var.routes) : can(regex("^(DELETE|GET|HEAD|PATCH|POST|PUT) /(([A-Za-z0-9._:-]+|\\{[A-Za-z0-9_]+\\+?\\})(/([A-Za-z0-9._:-]+|\\{[A-Za-z0-9_]+\\+?\\}))*)?$", route))])
    error_message = "routes: use a method and a path, such as \"GET /orders/{id}\", unlike ${join(", ", [for route in keys(var.routes) : "\"${route}\"" if !can(regex("^(DELETE|GET|HEAD|PATCH|POST|PUT) /(([A-Za-z0-9._:-]+|\\{[A-Za-z0-9_]+\\+?\\})(/([A-Za-z0-9._:-]+|\\{[A-Za-z0-9_]+\\+?\\}))*)?$", route))])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : contains(keys(route.integration.responses), "default")])
    error_message = "routes: without the response `default`, an unexpected status shows internal details. Add it to ${join(", ", [for name, route in var.routes : "\"${name}\"" if !contains(keys(route.integration.responses), "default")])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : length(distinct(values(route.integration.responses)[*].status)) == length(route.integration.responses)])
    error_message = "routes: API Gateway has one response per status, but two have the same in ${join(", ", [for name, route in var.routes : "\"${name}\"" if length(distinct(values(route.integration.responses)[*].status)) != length(route.integration.responses)])}. A template can override it: #set($context.responseOverride.status = 404)."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : can(regex("^[a-z0-9.-]+:(action|path)/", route.integration.service))])
    error_message = "routes: write a service as SERVICE:action/NAME or SERVICE:path/PATH, unlike that of ${join(", ", [for name, route in var.routes : "\"${name}\" (${route.integration.service})" if !can(regex("^[a-z0-9.-]+:(action|path)/", route.integration.service))])}."
  }

  validation {
    condition     = alltrue(flatten([for route in values(var.routes) : [for to in keys(route.integration.parameters) : can(regex("^(header|path|querystring)[.]", to))]]))
    error_message = "routes: use header.NAME, path.NAME or querystring.NAME as names of `parameters`."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.request.schema == null || can(jsondecode(route.request.schema).type)])
    error_message = "routes: use a JSON Schema with a type as `schema`, unlike that of ${join(", ", [for name, route in var.routes : "\"${name}\"" if route.request.schema != null && !can(jsondecode(route.request.schema).type)])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.integration.timeout >= 1 && route.integration.timeout <= 29])
    error_message = "routes: use a `timeout` of 1 to 29 seconds, unlike that of ${join(", ", [for name, route in var.routes : "\"${name}\" (${route.integration.timeout} s)" if !(route.integration.timeout >= 1 && route.integration.timeout <= 29)])}."
  }
}

variable "api_keys" {
  description = "Names of the API keys to create. With API keys, every authenticated route also requires one, in the header X-Api-Key, and `usage_plan` limits each."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "authorization" {
  description = <<-EOT
    Authentication of callers. AWS_IAM: AWS's signature of a user or a role. COGNITO_IDENTITY: AWS's signature with
    credentials of an identity pool, whose identities share a role. COGNITO_USER_POOLS: a token of one of
    `user_pool_arns`, with one of `scopes` if there are any. LAMBDA: the answer of the function `function_arn` for the
    header Authorization, cached for `cache_seconds`. API_KEY: only one of `api_keys`. AWS does not regard a key as proof
    of identity, so use it only for your own programs.
  EOT
  type = object({
    type           = optional(string, "AWS_IAM")
    cache_seconds  = optional(number, 300)
    function_arn   = optional(string)
    scopes         = optional(list(string), [])
    user_pool_arns = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["API_KEY", "AWS_IAM", "COGNITO_IDENTITY", "COGNITO_USER_POOLS", "LAMBDA"], var.authorization.type)
    error_message = "authorization.type is ${var.authorization.type}: use API_KEY, AWS_IAM, COGNITO_IDENTITY, COGNITO_USER_POOLS or LAMBDA."
  }

  validation {
    condition     = (var.authorization.type == "COGNITO_USER_POOLS") == (length(var.authorization.user_pool_arns) > 0)
    error_message = "authorization.type is ${var.authorization.type}: set `user_pool_arns` for COGNITO_USER_POOLS, at least one, and for no other type."
  }

  validation {
    condition     = (var.authorization.type == "LAMBDA") == (var.authorization.function_arn != null)
    error_message = "authorization.type is ${var.authorization.type}: set `function_arn` for LAMBDA, and for no other type."
  }
}

variable "binary_media_types" {
  description = "Content types to treat as bytes; `*/*`: all. A body of any other type is decoded as UTF-8 text, which damages an image. A template gets bytes in base64 (`$util.base64Decode($input.body)`), both of requests and of the service's answers, so with `*/*` it must decode every body that it reads."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "cors" {
  description = <<-EOT
    Origins (such as https://example.com, or only `*`) whose pages may call the API from a browser, with the headers that
    the routes declare and the headers of credentials. `max_age`: seconds for which the browser caches the preflight.
    Null: no origin. With several origins, the preflight response names the page's origin if it is in the list. All other
    responses have `*`, because API Gateway can only set constants there. A browser sends no credentials without a
    preflight. If the network (`policy`) protects the API instead of credentials, use one origin.
  EOT
  type = object({
    origins = set(string)
    max_age = optional(number, 600)
  })
  default = null

  validation {
    condition     = var.cors == null || try(length(var.cors.origins) > 0 && alltrue([for origin in var.cors.origins : can(regex("^([*]|https?://[a-z0-9.-]+(:[0-9]+)?)$", origin))]), false)
    error_message = "cors.origins: use origins as browsers send them, in lower case and without a path, such as https://example.com, or `*`, unlike ${try(join(", ", [for origin in var.cors.origins : "\"${origin}\"" if !can(regex("^([*]|https?://[a-z0-9.-]+(:[0-9]+)?)$", origin))]), "null")}."
  }

  validation {
    condition     = try(!contains(var.cors.origins, "*") || length(var.cors.origins) == 1, true)
    error_message = "cors.origins has `*`, which is any origin, and others: remove `*` or the others."
  }
}

variable "description" {
  description = "Purpose of the API, in a sentence."
  type        = string
  default     = "Service integrations without a function between"
  nullable    = false
}

variable "logging" {
  description = "Logs of requests and of executions (`level`: ERROR, INFO or OFF), kept for `retention_days`. API Gateway writes them with one role for all APIs of an account and region (aws_api_gateway_account). Without this role, AWS refuses the stage with \"CloudWatch Logs role ARN must be set in account settings\". Null: no logs."
  type = object({
    level          = optional(string, "ERROR")
    retention_days = optional(number, 30)
  })
  default = null

  validation {
    condition     = var.logging == null || try(contains(["ERROR", "INFO", "OFF"], var.logging.level), false)
    error_message = "logging.level is ${try(var.logging.level, "null")}: use ERROR, INFO or OFF."
  }
}

variable "permissions" {
  description = "Permissions of the integrations: IAM policy documents (JSON) by name, each an inline policy of the API's role. The name `authorizer` is reserved."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !contains(keys(var.permissions), "authorizer")
    error_message = "permissions: the name `authorizer` is reserved. Use another."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles created here. Null: no boundary."
  type        = string
  default     = null
}

variable "policy" {
  description = "Resource policy of the API (JSON), for example to allow only some networks, or another account. Null: only the authorization decides."
  type        = string
  default     = null
}

variable "stage" {
  description = "Name of the stage, which is the first part of every path."
  type        = string
  default     = "v1"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.stage))
    error_message = "stage \"${var.stage}\" is not valid: use 1 to 128 letters, digits, hyphens and underscores."
  }
}

variable "tags" {
  description = "Tags of every resource that supports tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")])
    error_message = "tags: use 1 to 128 letters, digits, spaces and _.:/=+@- for a key, up to 256 for a value, and no key that begins with aws:. Not valid: ${join(", ", [for key, value in var.tags : "\"${key}\"" if !(can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:"))])}."
  }

  # IAM treats them as one key, most other services as two.
  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags: ${join(", ", [for key in keys(var.tags) : "\"${key}\"" if length([for other in keys(var.tags) : other if lower(other) == lower(key)]) > 1])} differ only in case: keep one of them."
  }
}

variable "throttling" {
  description = "Limits for all callers together: requests a second (`rate`) and requests at once (`burst`). Requests above them get a 429."
  type = object({
    burst = optional(number, 100)
    rate  = optional(number, 50)
  })
  default  = {}
  nullable = false
}

variable "tracing" {
  description = "Trace requests with X-Ray."
  type        = bool
  default     = true
  nullable    = false
}

variable "usage_plan" {
  description = "Limits for each of `api_keys`: requests a second (`rate`), requests at once (`burst`), and optionally a `quota` of `limit` requests per `period` (DAY, WEEK or MONTH)."
  type = object({
    burst = optional(number, 20)
    rate  = optional(number, 10)
    quota = optional(object({ limit = number, period = string }))
  })
  default  = {}
  nullable = false
}

variable "web_acl" {
  description = "Regional WAF web ACL for the API, by its `arn`. Null: no web ACL. It is an object, so a plan can create the ACL and the API together."
  type        = object({ arn = string })
  default     = null
}
