variable "name" {
  description = "Name of the bus to create, or `default` to put the rules on the account's default bus. The default bus itself does not change: it gets no key, policy or DLQ."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,64}$", var.name)) && !startswith(var.name, "aws.")
    error_message = "name \"${var.name}\" is not valid: use 1 to 64 letters, digits, dots, hyphens and underscores, and do not begin with aws."
  }
}

variable "archive" {
  description = "Archive of the bus's events for replays. `retention_days`: days for which it keeps them (0: forever). `pattern` (JSON): events to keep; null: all. Null: no archive."
  type = object({
    pattern        = optional(string)
    retention_days = optional(number, 30)
  })
  default = null

  validation {
    condition     = try(var.archive.pattern, null) == null || can(keys(jsondecode(var.archive.pattern)))
    error_message = "`archive.pattern` must be a JSON object."
  }

  validation {
    condition     = var.archive == null || try(var.archive.retention_days >= 0 && floor(var.archive.retention_days) == var.archive.retention_days, false)
    error_message = "`archive.retention_days` must be a whole number of days, 0 or more."
  }
}

variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the created bus. Required, except for the default bus, where it must be null. Its policy must allow events.amazonaws.com on behalf of `static_arn`. The DLQ does not use it, because it keeps the events that this key cannot encrypt or decrypt."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn ${coalesce(var.key_arn, "null")} is not valid: use the ARN of a KMS key."
  }

  validation {
    condition     = (var.key_arn == null) == (var.name == "default")
    error_message = var.name == "default" ? "key_arn has no effect on the default bus, whose key is a setting of the account: remove it." : "The bus ${var.name} needs a `key_arn`."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles created here. Null: no boundary."
  type        = string
  default     = null
}

variable "prefix" {
  description = "Prefix of the names of the DLQ, the archive and the roles, and on the default bus also of the rules. Null: `name`. Required for the default bus."
  type        = string
  default     = null

  validation {
    condition     = var.prefix != null || var.name != "default"
    error_message = "The default bus needs a `prefix`: without one, the names of rules and DLQ could collide with others in the account."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", coalesce(var.prefix, var.name)))
    error_message = "The DLQ's name begins with ${coalesce(var.prefix, var.name)}, but SQS allows only letters, digits, hyphens and underscores: set a `prefix` of 1 to 64 of them."
  }
}

variable "publishers" {
  description = "Other accounts that may put events on the created bus: either `account_ids` or an `organization_id`. `sources` limits the events' source. Empty: no other account."
  type = map(object({
    account_ids     = optional(list(string), [])
    organization_id = optional(string)
    sources         = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.publishers) == 0 || var.name != "default"
    error_message = "`publishers` is not valid for the default bus, whose policy belongs to the account: create a bus."
  }

  validation {
    condition     = alltrue([for publisher in values(var.publishers) : (length(publisher.account_ids) > 0) != (publisher.organization_id != null)])
    error_message = "Each publisher needs either `account_ids` or an `organization_id`; wrong in: ${join(", ", [for key, publisher in var.publishers : key if(length(publisher.account_ids) > 0) == (publisher.organization_id != null)])}."
  }

  validation {
    condition     = alltrue(flatten([for publisher in values(var.publishers) : [for id in publisher.account_ids : can(regex("^[0-9]{12}$", id))]]))
    error_message = "An account id has 12 digits; wrong in: ${join(", ", [for key, publisher in var.publishers : key if !alltrue([for id in publisher.account_ids : can(regex("^[0-9]{12}$", id))])])}."
  }
}

variable "rules" {
  description = <<-EOT
    Rules by name. Each sends the events that match `pattern` (JSON) to its `targets`. Every target has a DLQ: the module's, or `dlq_arn`, which should not be encrypted with the same key as the target.
    Lambda functions, log groups, topics, queues and REST APIs of this account allow EventBridge in their own policies. Every other target needs a role: either `role_arn`, or `role_actions` (such as `["states:StartExecution"]`), for which the module creates a role with these actions on this target that only this rule can assume.
    Targets with required parameters (AppSync, Batch, ECS, Redshift, Systems Manager's Run Command) are not supported.
    The event is sent unchanged, unless you set one of `input` (constant JSON), `input_path` and `input_transformer`. `message_group_id` is for queues; a FIFO queue needs one.
    `retry` ends after `max_age_seconds` or `max_attempts`, whichever is first; then the event goes to the DLQ.
  EOT
  type = map(object({
    description = optional(string)
    enabled     = optional(bool, true)
    pattern     = string
    targets = map(object({
      arn        = string
      dlq_arn    = optional(string)
      input      = optional(string)
      input_path = optional(string)
      input_transformer = optional(object({
        paths    = optional(map(string), {})
        template = string
      }))
      message_group_id = optional(string)
      retry = optional(object({
        max_age_seconds = optional(number, 86400)
        max_attempts    = optional(number, 185)
      }), {})
      role_actions = optional(list(string), [])
      role_arn     = optional(string)
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.rules) > 0 || var.name != "default"
    error_message = "The module does not create the default bus, so without `rules` it creates nothing: add a rule."
  }

  validation {
    condition     = alltrue([for key, _ in var.rules : can(regex("^[A-Za-z0-9_-]{1,64}$", var.name == "default" ? "${coalesce(var.prefix, "-")}-${key}" : key))])
    error_message = "A rule's name must have 1 to 64 letters, digits, hyphens and underscores, the prefix on the default bus included; wrong: ${join(", ", [for key, _ in var.rules : key if !can(regex("^[A-Za-z0-9_-]{1,64}$", var.name == "default" ? "${coalesce(var.prefix, "-")}-${key}" : key))])}."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : length(try(keys(jsondecode(rule.pattern)), [])) > 0])
    error_message = "A rule's `pattern` must be a JSON object with at least one field; wrong in: ${join(", ", [for key, rule in var.rules : key if length(try(keys(jsondecode(rule.pattern)), [])) == 0])}."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : length(rule.targets) >= 1 && length(rule.targets) <= 5])
    error_message = "A rule has 1 to 5 targets; wrong in: ${join(", ", [for key, rule in var.rules : "${key} (${length(rule.targets)})" if length(rule.targets) < 1 || length(rule.targets) > 5])}."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for id, _ in rule.targets : can(regex("^[A-Za-z0-9_-]{1,64}$", id))]]))
    error_message = "A target's name must have 1 to 64 letters, digits, hyphens and underscores; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, _ in rule.targets : "${key}.${id}" if !can(regex("^[A-Za-z0-9_-]{1,64}$", id))]]))}."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for target in values(rule.targets) : length([for set in [target.input != null, target.input_path != null, target.input_transformer != null] : set if set]) <= 1]]))
    error_message = "A target has at most one of `input`, `input_path` and `input_transformer`; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, target in rule.targets : "${key}.${id}" if length([for set in [target.input != null, target.input_path != null, target.input_transformer != null] : set if set]) > 1]]))}."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for target in values(rule.targets) : can(regex("^arn:[^:]+:[^:]+:[^:]*:[^:]*:.", target.arn))]]))
    error_message = "A target's `arn` must be an ARN; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, target in rule.targets : "${key}.${id} (${target.arn})" if !can(regex("^arn:[^:]+:[^:]+:[^:]*:[^:]*:.", target.arn))]]))}."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for target in values(rule.targets) : target.dlq_arn == null || can(regex("^arn:[^:]+:sqs:[^.]+$", target.dlq_arn))]]))
    error_message = "A `dlq_arn` must be the ARN of a standard SQS queue; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, target in rule.targets : "${key}.${id} (${target.dlq_arn})" if target.dlq_arn != null && !can(regex("^arn:[^:]+:sqs:[^.]+$", target.dlq_arn))]]))}."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for target in values(rule.targets) : length(target.role_actions) == 0 || target.role_arn == null]]))
    error_message = "A target has either `role_arn` or `role_actions`; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, target in rule.targets : "${key}.${id}" if length(target.role_actions) > 0 && target.role_arn != null]]))}."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for target in values(rule.targets) : [for action in target.role_actions : can(regex("^[a-z0-9-]+:[A-Za-z]+$", action))]]]))
    error_message = "`role_actions` are complete IAM actions such as states:StartExecution, without wildcards; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, target in rule.targets : [for action in target.role_actions : "${key}.${id} (${action})" if !can(regex("^[a-z0-9-]+:[A-Za-z]+$", action))]]]))}."
  }

  validation {
    condition = alltrue(flatten([for rule in values(var.rules) : [for target in values(rule.targets) :
      target.retry.max_age_seconds >= 60 && target.retry.max_age_seconds <= 86400 && target.retry.max_attempts >= 0 && target.retry.max_attempts <= 185
    ]]))
    error_message = "EventBridge retries for 60 to 86400 s and 0 to 185 times; wrong: ${join(", ", flatten([for key, rule in var.rules : [for id, target in rule.targets : "${key}.${id} (${target.retry.max_age_seconds} s, ${target.retry.max_attempts} times)" if target.retry.max_age_seconds < 60 || target.retry.max_age_seconds > 86400 || target.retry.max_attempts < 0 || target.retry.max_attempts > 185]]))}."
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
