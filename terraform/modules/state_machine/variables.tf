variable "definition" {
  description = "The workflow in Amazon States Language (JSON)."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.definition).StartAt) && can(keys(jsondecode(var.definition).States))
    error_message = "`definition` must be a JSON object with StartAt and States."
  }
}

variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the definition, the executions and the logs. Its policy must let logs.REGION.amazonaws.com use it for the log group and delivery.logs.amazonaws.com decrypt with it, under the encryption context `SourceArn` = arn:PARTITION:logs:REGION:ACCOUNT:*."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "`key_arn` must be the ARN of a KMS key, not ${var.key_arn}."
  }
}

variable "name" {
  description = "Name of the state machine; the log group is /aws/vendedlogs/states/NAME, the role NAME-REGION."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "`name` must have 1 to 64 letters, digits, hyphens and underscores, unlike ${var.name}."
  }
}

variable "logging" {
  description = "Which of an execution's events are logged (`level`: ALL, ERROR, FATAL or OFF) and for how many days they are kept. `include_execution_data` also writes inputs and outputs to the log, personal data in them included."
  type = object({
    include_execution_data = optional(bool, false)
    level                  = optional(string, "ERROR")
    retention_days         = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.logging.level)
    error_message = "`logging.level` must be ALL, ERROR, FATAL or OFF, not ${var.logging.level}."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logging.retention_days)
    error_message = "CloudWatch Logs does not keep logs for ${var.logging.retention_days} days; it knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "permissions" {
  description = "What the workflow's tasks may do: IAM policy documents (JSON) by name, attached to its role one by one. The name `runtime` is the module's own."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, _ in var.permissions : key != "runtime" && can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", key))])
    error_message = "The names of `permissions` become names of policies (letters, digits and +=,.@_-) and must not be `runtime`, which is the module's own."
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

variable "tracing" {
  description = "X-Ray tracing of the executions."
  type        = bool
  default     = true
  nullable    = false
}

variable "type" {
  description = "`EXPRESS`: up to 5 minutes, at least once, billed by duration. `STANDARD`: up to a year, with a history of every step, billed by transition. A change replaces the state machine."
  type        = string
  default     = "EXPRESS"
  nullable    = false

  validation {
    condition     = contains(["EXPRESS", "STANDARD"], var.type)
    error_message = "`type` must be EXPRESS or STANDARD, not ${var.type}."
  }

  validation {
    condition     = var.type != "EXPRESS" || !can(regex("\"Resource\"\\s*:\\s*\"[^\"]*\\.(sync|waitForTaskToken)", var.definition))
    error_message = "An EXPRESS state machine cannot wait for ${join(", ", distinct([for match in regexall("\"Resource\"\\s*:\\s*\"([^\"]*\\.(?:sync|waitForTaskToken)[^\"]*)\"", var.definition) : match[0]]))}: use STANDARD, or an integration that does not wait."
  }
}
