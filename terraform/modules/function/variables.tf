variable "artifact" {
  description = "The built zip: its `path`, and the `sha256` (hex) that the file must have (null: not built yet, an error). The error contains `build_command`. With `code_signing_config_arn`, Lambda requires a signature."
  type = object({
    build_command           = optional(string)
    code_signing_config_arn = optional(string)
    path                    = string
    sha256                  = string
  })
  nullable = false

  validation {
    condition     = var.artifact.sha256 == null || can(regex("^[0-9A-Fa-f]{64}$", var.artifact.sha256))
    error_message = "artifact.sha256 ${coalesce(var.artifact.sha256, "null")} is not valid: use 64 hexadecimal digits."
  }
}

variable "handler" {
  description = "Handler of the function, in the notation of the runtime: `package.module.function` in Python."
  type        = string
  nullable    = false
}

variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the environment, SnapStart's snapshots and the logs. Its policy must allow logs.REGION.amazonaws.com for the log group. The role may decrypt with it, for example to read an encrypted queue."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn ${var.key_arn} is not valid: use the ARN of a KMS key."
  }
}

variable "name" {
  description = "Name of the function. The log group is /aws/lambda/NAME, the role NAME-REGION."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "architecture" {
  description = "Processor: `arm64` or `x86_64`. Build artifact and layers for it."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "`architecture` must be arm64 or x86_64, not ${var.architecture}."
  }
}

variable "async" {
  description = "Asynchronous invocations (by a rule, a topic, a bucket). Lambda retries a failed event up to `max_attempts` times within `max_age_seconds`, and then sends it to `failure_destination_arn`, a queue, topic, function or bus. If the destination has another key than `key_arn`, `permissions` must allow that key. Null: Lambda's defaults, which drop failed events."
  type = object({
    failure_destination_arn = string
    max_age_seconds         = optional(number, 21600)
    max_attempts            = optional(number, 2)
  })
  default = null

  validation {
    condition     = var.async == null || can(regex("^arn:[^:]+:(events:.*:event-bus/|lambda:.*:function:|sns:[^.]+$|sqs:[^.]+$)", var.async.failure_destination_arn))
    error_message = "`async.failure_destination_arn` must be the ARN of a standard queue, a standard topic, a function or a bus, not ${try(var.async.failure_destination_arn, "null")}."
  }

  validation {
    condition     = var.async == null || try(var.async.max_age_seconds >= 60 && var.async.max_age_seconds <= 21600 && contains([0, 1, 2], var.async.max_attempts), false)
    error_message = "async: use 60 to 21600 for `max_age_seconds` and 0 to 2 for `max_attempts`, the ranges of Lambda."
  }
}

variable "concurrency" {
  description = "`reserved`: maximum of concurrent executions, reserved for this function; null: it shares those of the account. `provisioned`: executions started in advance, for the alias `live`; AWS charges for them also while they are idle."
  type = object({
    provisioned = optional(number)
    reserved    = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.concurrency.reserved == null || coalesce(var.concurrency.reserved, 0) >= 0
    error_message = "`concurrency.reserved` must not be negative."
  }

  validation {
    condition     = var.concurrency.provisioned == null || coalesce(var.concurrency.provisioned, 0) >= 1
    error_message = "`concurrency.provisioned` must be at least 1: remove it for no provisioned concurrency."
  }

  validation {
    condition     = var.concurrency.reserved == null || coalesce(var.concurrency.provisioned, 0) <= coalesce(var.concurrency.reserved, 0)
    error_message = "`concurrency.provisioned` (${coalesce(var.concurrency.provisioned, 0)}) is part of `concurrency.reserved` (${coalesce(var.concurrency.reserved, 0)}): reserve more, or provision less."
  }
}

variable "environment" {
  description = "Environment variables, encrypted with `key_arn`."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "ephemeral_storage" {
  description = "Size of /tmp in MB, 512 to 10240. 512 MB are free."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.ephemeral_storage >= 512 && var.ephemeral_storage <= 10240
    error_message = "`ephemeral_storage` must be 512 to 10240 MB, not ${var.ephemeral_storage}."
  }
}

variable "event_sources" {
  description = <<-EOT
    SQS queues to read, by name, each with a partial batch response: the function returns `batchItemFailures`, and only those messages return to the queue.
    A batch has up to `batch_size` messages, or the messages of `batch_window` seconds. `max_concurrency` (2 to 1000) limits the concurrent batches. Lambda deletes messages that match none of `filter_patterns` (JSON).
  EOT
  type = map(object({
    arn             = string
    batch_size      = optional(number, 10)
    batch_window    = optional(number, 0)
    filter_patterns = optional(list(string), [])
    max_concurrency = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for source in values(var.event_sources) : can(regex("^arn:[^:]+:sqs:", source.arn))])
    error_message = "An event source must be the ARN of an SQS queue; wrong: ${join(", ", [for key, source in var.event_sources : "${key} (${source.arn})" if !can(regex("^arn:[^:]+:sqs:", source.arn))])}."
  }

  validation {
    condition     = alltrue([for source in values(var.event_sources) : source.batch_size >= 1 && source.batch_size <= 10000 && source.batch_window >= 0 && source.batch_window <= 300])
    error_message = "A batch has 1 to 10000 messages, and a window of 0 to 300 s; wrong: ${join(", ", [for key, source in var.event_sources : "${key} (${source.batch_size} messages, ${source.batch_window} s)" if source.batch_size < 1 || source.batch_size > 10000 || source.batch_window < 0 || source.batch_window > 300])}."
  }

  validation {
    condition     = alltrue([for source in values(var.event_sources) : source.batch_size <= 10 || source.batch_window >= 1])
    error_message = "More than 10 messages in a batch need a `batch_window` of at least 1 s; wrong: ${join(", ", [for key, source in var.event_sources : key if source.batch_size > 10 && source.batch_window < 1])}."
  }

  validation {
    condition     = alltrue([for source in values(var.event_sources) : source.max_concurrency == null || (coalesce(source.max_concurrency, 0) >= 2 && coalesce(source.max_concurrency, 0) <= 1000)])
    error_message = "`max_concurrency` must be 2 to 1000; wrong: ${join(", ", [for key, source in var.event_sources : "${key} (${coalesce(source.max_concurrency, 0)})" if source.max_concurrency != null && (coalesce(source.max_concurrency, 0) < 2 || coalesce(source.max_concurrency, 0) > 1000)])}."
  }

  validation {
    condition     = alltrue(flatten([for source in values(var.event_sources) : [for pattern in source.filter_patterns : can(keys(jsondecode(pattern)))]]))
    error_message = "`filter_patterns` must be JSON objects; wrong in: ${join(", ", [for key, source in var.event_sources : key if !alltrue([for pattern in source.filter_patterns : can(keys(jsondecode(pattern)))])])}."
  }
}

variable "invokers" {
  description = "Services that may invoke the function (its alias, if it has one), by a name of your choice: `service` such as events.amazonaws.com, on behalf of `source_arn` only. Event sources need no entry."
  type = map(object({
    service    = string
    source_arn = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for invoker in values(var.invokers) : can(regex("^[a-z0-9-]+([.][a-z0-9-]+){2,}$", invoker.service)) && can(regex("^arn:([^:]*:){4}.", invoker.source_arn))])
    error_message = "An invoker needs a `service` such as events.amazonaws.com, and the ARN of its source; wrong: ${join(", ", [for key, invoker in var.invokers : key if !can(regex("^[a-z0-9-]+([.][a-z0-9-]+){2,}$", invoker.service)) || !can(regex("^arn:([^:]*:){4}.", invoker.source_arn))])}."
  }
}

variable "layers" {
  description = "ARNs of layer versions, at most five. A later one overrides an earlier one."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5
    error_message = "layers has ${length(var.layers)} elements: use at most 5, the limit of Lambda."
  }
}

variable "logging" {
  description = "JSON logs. Lambda drops the function's lines below `level` and its own lines below `system_level`, and keeps the others for `retention_days`. `level` is TRACE, DEBUG or INFO: Lambda treats a line without a level as INFO, so a higher level would drop metrics in the embedded metric format and the errors that the runtime reports. To drop more lines, set the level of the function's own logger. A `system_level` of WARN drops `platform.report`, which has duration and memory of each invocation."
  type = object({
    level          = optional(string, "INFO")
    retention_days = optional(number, 30)
    system_level   = optional(string, "INFO")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO"], var.logging.level)
    error_message = "logging.level is ${var.logging.level}: use TRACE, DEBUG or INFO. Lambda treats a line without a level, such as a metric in the embedded metric format or an uncaught error, as INFO and would drop it. To drop more lines, set the level of the function's own logger."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logging.retention_days)
    error_message = "logging.retention_days is ${var.logging.retention_days}: use 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653, the values of CloudWatch Logs."
  }

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN"], var.logging.system_level)
    error_message = "`logging.system_level` must be DEBUG, INFO or WARN, not ${var.logging.system_level}."
  }
}

variable "memory" {
  description = "Memory in MB, 128 to 10240. Processor time grows with it: one full core at 1769 MB."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory >= 128 && var.memory <= 10240
    error_message = "`memory` must be 128 to 10240 MB, not ${var.memory}."
  }
}

variable "permissions" {
  description = "Permissions of the function's code: IAM policy documents (JSON) by name, each an inline policy of the role. The name `runtime` is reserved."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, _ in var.permissions : key != "runtime" && can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", key))])
    error_message = "permissions: use letters, digits and +=,.@_- in the names, and not the reserved name `runtime`."
  }

  validation {
    condition     = alltrue([for document in values(var.permissions) : can(keys(jsondecode(document)))])
    error_message = "`permissions` must be policy documents in JSON; wrong: ${join(", ", [for key, document in var.permissions : key if !can(keys(jsondecode(document)))])}."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles created here. Null: no boundary."
  type        = string
  default     = null
}

variable "runtime" {
  description = "Runtime that the artifact is built for, such as `python3.13`."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "snap_start" {
  description = "SnapStart: start the published version of the alias `live` from a snapshot of its initialised memory. For Python 3.12, Java 11, .NET 8 and later; not with provisioned concurrency or more than 512 MB of /tmp."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.snap_start || var.concurrency.provisioned == null
    error_message = "`snap_start` and `concurrency.provisioned` cannot be combined: remove one of them."
  }

  validation {
    condition     = !var.snap_start || var.ephemeral_storage == 512
    error_message = "`snap_start` needs `ephemeral_storage` to be 512 MB, not ${var.ephemeral_storage}."
  }

  validation {
    condition     = !var.snap_start || can(regex("^(python3\\.(1[2-9]|[2-9][0-9])|java(1[1-9]|[2-9][0-9])|dotnet([89]|[1-9][0-9]))$", var.runtime))
    error_message = "`snap_start` needs Python 3.12, Java 11, .NET 8 or later, not ${var.runtime}."
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

variable "timeout" {
  description = "Seconds after which Lambda stops an invocation, 1 to 900. The visibility timeout of the function's queue must be at least six times this value."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.timeout >= 1 && var.timeout <= 900
    error_message = "`timeout` must be 1 to 900 s, not ${var.timeout}."
  }
}

variable "tracing" {
  description = "Active X-Ray tracing: Lambda samples invocations. False: it only continues a trace of the caller."
  type        = bool
  default     = true
  nullable    = false
}

variable "vpc" {
  description = "Subnets and security groups of the function. It then reaches only what they allow. Null: no VPC."
  type = object({
    security_group_ids = list(string)
    subnet_ids         = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null || try(length(var.vpc.security_group_ids) > 0 && length(var.vpc.subnet_ids) > 0, false)
    error_message = "`vpc` needs at least one subnet and one security group."
  }
}
