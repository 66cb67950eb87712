variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the logs. Its policy must let logs.REGION.amazonaws.com use it for the log groups in `log_group_arns`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "`key_arn` must be the ARN of a KMS key, not ${var.key_arn}."
  }
}

variable "name" {
  description = "Name of the API; the log group of accesses is /aws/apigateway/NAME, the role NAME-REGION."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "`name` must have 1 to 64 letters, digits, hyphens and underscores, unlike ${var.name}."
  }
}

variable "routes" {
  description = <<-EOT
    What the API does, by method and path: `"GET /orders/{id}"`. A route's `integration` names the service as API
    Gateway writes it (`dynamodb:action/GetItem`, `s3:path/{bucket}/{key}`, `sqs:path/ACCOUNT/QUEUE`) and the HTTP
    `method` it is called with. `templates` (VTL, by the request's content type; any other type is a 415) make the
    service's request; without one the body goes through as it is. `parameters` set `path.NAME`, `querystring.NAME` and
    `header.NAME` of that request from `method.request.…`, `context.…` or a `'constant'`. `responses` are chosen by a regular
    expression on the service's status (a function's: on its error's message; `default`: any other): their `status`, `headers` (as `parameters`) and `template`,
    without which the service's body goes through as bytes. `request` says which headers and query strings there are
    (true: required) and which JSON `schema` the body must have. `timeout` is in seconds.
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
    error_message = "A route is a method and a path, such as \"GET /orders/{id}\", unlike: ${join(", ", [for route in keys(var.routes) : "\"${route}\"" if !can(regex("^(DELETE|GET|HEAD|PATCH|POST|PUT) /(([A-Za-z0-9._:-]+|\\{[A-Za-z0-9_]+\\+?\\})(/([A-Za-z0-9._:-]+|\\{[A-Za-z0-9_]+\\+?\\}))*)?$", route))])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : contains(keys(route.integration.responses), "default")])
    error_message = "Without a response `default`, a status that nobody thought of shows what is inside: add one to ${join(", ", [for name, route in var.routes : "\"${name}\"" if !contains(keys(route.integration.responses), "default")])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : length(distinct(values(route.integration.responses)[*].status)) == length(route.integration.responses)])
    error_message = "API Gateway has one response a status; two have the same in ${join(", ", [for name, route in var.routes : "\"${name}\"" if length(distinct(values(route.integration.responses)[*].status)) != length(route.integration.responses)])}. A template can override it: #set($context.responseOverride.status = 404)."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : can(regex("^[a-z0-9.-]+:(action|path)/", route.integration.service))])
    error_message = "A service is written as SERVICE:action/NAME or SERVICE:path/PATH, unlike that of ${join(", ", [for name, route in var.routes : "\"${name}\" (${route.integration.service})" if !can(regex("^[a-z0-9.-]+:(action|path)/", route.integration.service))])}."
  }

  validation {
    condition     = alltrue(flatten([for route in values(var.routes) : [for to in keys(route.integration.parameters) : can(regex("^(header|path|querystring)[.]", to))]]))
    error_message = "`parameters` set header.NAME, path.NAME or querystring.NAME of the service's request."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.request.schema == null || can(jsondecode(route.request.schema).type)])
    error_message = "A `schema` is a JSON Schema with a type, unlike that of ${join(", ", [for name, route in var.routes : "\"${name}\"" if route.request.schema != null && !can(jsondecode(route.request.schema).type)])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.integration.timeout >= 1 && route.integration.timeout <= 29])
    error_message = "A `timeout` is 1 to 29 seconds, unlike that of ${join(", ", [for name, route in var.routes : "\"${name}\" (${route.integration.timeout} s)" if !(route.integration.timeout >= 1 && route.integration.timeout <= 29)])}."
  }
}

variable "api_keys" {
  description = "Names of API keys to make; with any, every authenticated route asks for one too, in the header X-Api-Key, and `usage_plan` limits each."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "authorization" {
  description = <<-EOT
    How callers say who they are. AWS_IAM: by AWS's signature, as a user or a role. COGNITO_IDENTITY: the same with the
    credentials of an identity pool, whose identities share a role. COGNITO_USER_POOLS: by a token of one of
    `user_pool_arns` that carries one of `scopes`, if there are any. LAMBDA: by what the function says of the header
    Authorization, remembered for `cache_seconds`. API_KEY: by nothing but one of `api_keys`: enough for programs of one's own, as AWS does not take a key for
    a proof of identity.
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
    error_message = "`authorization.type` must be API_KEY, AWS_IAM, COGNITO_IDENTITY, COGNITO_USER_POOLS or LAMBDA, not ${var.authorization.type}."
  }

  validation {
    condition     = (var.authorization.type == "COGNITO_USER_POOLS") == (length(var.authorization.user_pool_arns) > 0)
    error_message = "`authorization.user_pool_arns` belongs to COGNITO_USER_POOLS, which needs at least one; the type is ${var.authorization.type}."
  }

  validation {
    condition     = (var.authorization.type == "LAMBDA") == (var.authorization.function_arn != null)
    error_message = "`authorization.function_arn` belongs to LAMBDA, which needs it; the type is ${var.authorization.type}."
  }
}

variable "binary_media_types" {
  description = "Content types that are bytes; `*/*`: all. A body of any other type is decoded as UTF-8 text, which destroys an image. A template gets bytes in base64 (`$util.base64Decode($input.body)`), of requests and of the service's answers alike, so with `*/*` it has to decode every body that it reads."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "cors" {
  description = <<-EOT
    Lets pages of `origins` (such as https://example.com, or `*` alone) call the API from a browser, with the headers that
    the routes declare and those that carry credentials; the browser asks again after `max_age` seconds. Null: none may.
    With several origins the answer to the browser's preflight names the page's own origin, or none. All other responses
    then have `*`, because API Gateway can put only constants there. A browser sends no credentials without a preflight;
    if the network and not the caller's credentials protects the API (`policy`), name one origin.
  EOT
  type = object({
    origins = set(string)
    max_age = optional(number, 600)
  })
  default = null

  validation {
    condition     = var.cors == null || try(length(var.cors.origins) > 0 && alltrue([for origin in var.cors.origins : can(regex("^([*]|https?://[a-z0-9.-]+(:[0-9]+)?)$", origin))]), false)
    error_message = "`cors.origins` are origins as browsers send them, in lower case and without a path, such as https://example.com, or `*`, unlike: ${try(join(", ", [for origin in var.cors.origins : "\"${origin}\"" if !can(regex("^([*]|https?://[a-z0-9.-]+(:[0-9]+)?)$", origin))]), "null")}."
  }

  validation {
    condition     = try(!contains(var.cors.origins, "*") || length(var.cors.origins) == 1, true)
    error_message = "`cors.origins` holds `*`, which is any origin, and others: leave one or the others out."
  }
}

variable "description" {
  description = "What the API is for, in a sentence."
  type        = string
  default     = "Service integrations without a function between"
  nullable    = false
}

variable "logging" {
  description = "A log of accesses, and one of what API Gateway reports of its executions (`level`: ERROR, INFO or OFF), kept for `retention_days`. API Gateway writes them with a role that is one for all APIs of an account and region (aws_api_gateway_account): where none is set, AWS refuses the stage with \"CloudWatch Logs role ARN must be set in account settings\". Null: no logs."
  type = object({
    level          = optional(string, "ERROR")
    retention_days = optional(number, 30)
  })
  default = null

  validation {
    condition     = var.logging == null || try(contains(["ERROR", "INFO", "OFF"], var.logging.level), false)
    error_message = "`logging.level` must be ERROR, INFO or OFF, not ${try(var.logging.level, "null")}."
  }
}

variable "permissions" {
  description = "What the integrations may do: IAM policy documents (JSON) by name, attached to the API's role one by one. The name `authorizer` is the module's own."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !contains(keys(var.permissions), "authorizer")
    error_message = "`permissions` cannot hold a policy named `authorizer`."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles created here. Null: no boundary."
  type        = string
  default     = null
}

variable "policy" {
  description = "Resource policy of the API (JSON), for example to admit only some networks or another account. Null: the authorization alone decides."
  type        = string
  default     = null
}

variable "stage" {
  description = "Name of the stage: the first part of every path."
  type        = string
  default     = "v1"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.stage))
    error_message = "`stage` must have 1 to 128 letters, digits, hyphens and underscores, unlike ${var.stage}."
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
  description = "Requests a second that the API takes from all callers together (`rate`), and how many at once (`burst`); any more are a 429."
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
  description = "What each of `api_keys` may do: requests a second (`rate`), at once (`burst`), and optionally a `quota` of `limit` a `period` (DAY, WEEK or MONTH)."
  type = object({
    burst = optional(number, 20)
    rate  = optional(number, 10)
    quota = optional(object({ limit = number, period = string }))
  })
  default  = {}
  nullable = false
}

variable "web_acl" {
  description = "The regional WAF web ACL to put before the API, by its `arn`. Null: none. An object, so that a plan knows whether there is one even where the ACL is made in the same plan."
  type        = object({ arn = string })
  default     = null
}
