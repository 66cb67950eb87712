variable "definition" {
  description = "The workflow in Amazon States Language (JSON)."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.definition).StartAt) && can(keys(jsondecode(var.definition).States))
    error_message = "`definition` is not valid: use a JSON object with StartAt and States."
  }
}

variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the definition, the executions and the logs. Its policy must allow logs.REGION.amazonaws.com for the log group, and delivery.logs.amazonaws.com to decrypt with the encryption context `SourceArn` = arn:PARTITION:logs:REGION:ACCOUNT:*."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn ${var.key_arn} is not valid: use the ARN of a KMS key."
  }
}

variable "name" {
  description = "Name of the state machine. The log group is /aws/vendedlogs/states/NAME, the role NAME-REGION."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "logging" {
  description = "Log of the executions. `level`: events to log (ALL, ERROR, FATAL or OFF). `retention_days`: days until a line is deleted. `include_execution_data`: also log inputs and outputs, which may contain personal data."
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
    error_message = "logging.retention_days is ${var.logging.retention_days}: use 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653, the values of CloudWatch Logs."
  }
}

variable "permissions" {
  description = "Permissions of the workflow's tasks: IAM policy documents (JSON) by name, each an inline policy of the role. The name `runtime` is reserved."
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
