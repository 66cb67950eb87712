variable "name" {
  description = "Name of the dashboard, and what the names of alarms and saved queries begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name \"${var.name}\" must be 1 to 64 letters, digits, _ or -."
  }
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that are told when an alarm goes off, and when it is over. None: alarms show on the dashboard alone. An encrypted topic's key must admit cloudwatch.amazonaws.com."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "alarm_topic_arns must be ARNs of SNS topics: ${join(", ", [for arn in var.alarm_topic_arns : arn if !can(regex("^arn:[^:]+:sns:", arn))])}."
  }
}

variable "apis" {
  description = "REST APIs by a name of your choice: `api` and `stage`, as API Gateway names them. An alarm goes off when the API fails (5xx)."
  type        = map(object({ api = string, stage = string }))
  default     = {}
  nullable    = false
}

variable "budget" {
  description = "A monthly budget of `usd` US dollars for what bears the cost allocation tag `tag`, which has to be activated in the billing console: until then nothing counts. The one topic in `alarm_topic_arns` is told when so many percent of it are `spent`, and when as many are `forecast` for the month, five thresholds in all; its policy, and an encrypted one's key, must admit budgets.amazonaws.com. Null: none."
  type = object({
    usd      = number
    tag      = object({ key = string, value = string })
    spent    = optional(list(number), [80, 100])
    forecast = optional(list(number), [100])
  })
  default = null

  validation {
    condition     = var.budget == null || try(var.budget.usd > 0, false)
    error_message = "budget.usd is ${try(var.budget.usd, "null")}: use more than 0 US dollars."
  }

  validation {
    condition     = var.budget == null || try(contains(range(1, 6), length(var.budget.spent) + length(var.budget.forecast)) && alltrue([for percent in concat(var.budget.spent, var.budget.forecast) : percent > 0]), false)
    error_message = "budget has ${try(length(var.budget.spent) + length(var.budget.forecast), 0)} thresholds (${try(join(", ", concat(var.budget.spent, var.budget.forecast)), "")}): AWS Budgets admits one to five, in percent above 0."
  }
}

variable "costs" {
  description = "What the dashboard estimates the cost of, by component: a metric, the `statistic` of it that is paid for, and the US dollars of one unit. Prices differ by region and change: this is for seeing what dominates, not for accounting."
  type = map(object({
    namespace  = string
    metric     = string
    dimensions = optional(map(string), {})
    statistic  = optional(string, "Sum")
    usd        = number
  }))
  default  = {}
  nullable = false
}

variable "dead_letter_queues" {
  description = "Names of dead-letter queues, by what ends up there. An alarm goes off as soon as one holds anything; `advice` is a sentence on what to do then."
  type        = map(object({ name = string, advice = optional(string, "Find out why, then redrive it.") }))
  default     = {}
  nullable    = false
}

variable "found" {
  description = "Metrics that count what should not be, by a name of your choice: an alarm goes off at the first within five minutes; `advice` says what it is, and in a sentence of its own what to do."
  type        = map(object({ namespace = string, metric = string, dimensions = map(string), advice = string }))
  default     = {}
  nullable    = false
}

variable "functions" {
  description = "Lambda functions by a name of your choice: `name`, and the `timeout` in seconds. Alarms go off at `errors` failed calls within five minutes, at a call that was throttled, and at one that took more than `slow` of the timeout."
  type = map(object({
    name    = string
    timeout = number
    errors  = optional(number, 1)
    slow    = optional(number, 0.8)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for f in values(var.functions) : f.slow > 0 && f.slow <= 1 && f.errors >= 1])
    error_message = "functions: `slow` is a part of the timeout, above 0 to 1, and `errors` at least 1, unlike those of ${join(", ", [for name, f in var.functions : name if !(f.slow > 0 && f.slow <= 1 && f.errors >= 1)])}."
  }
}

variable "latencies" {
  description = "Metrics in milliseconds of the parts of a whole, in their order: the dashboard stacks their p50, p95 and p99."
  type        = list(object({ label = string, namespace = string, metric = string, dimensions = map(string) }))
  default     = []
  nullable    = false
}

variable "outcomes" {
  description = "What becomes of a unit of work: metrics that count, in one namespace with the same dimensions. `good` and `bad` are finished; `bad_by` is a dimension by which `bad` is counted besides, such as its reason; `failed` counts what failed and is tried again: an alarm goes off at `failed_at` of it within five minutes. An alarm goes off when more than `bad_share` (0 to 1) of at least `bad_share_of` within an hour are bad. `expected_every` is the number of hours within which something is expected (1 to 24): an alarm goes off when nothing was finished in so many; null: nothing is expected."
  type = object({
    namespace      = string
    dimensions     = map(string)
    good           = string
    bad            = string
    bad_by         = optional(string)
    others         = optional(list(string), [])
    failed         = optional(string)
    failed_at      = optional(number, 5)
    bad_share      = optional(number, 0.2)
    bad_share_of   = optional(number, 20)
    expected_every = optional(number)
  })
  default = null

  validation {
    condition     = var.outcomes == null || try(var.outcomes.bad_share > 0 && var.outcomes.bad_share < 1 && var.outcomes.bad_share_of >= 1, false)
    error_message = "outcomes: bad_share ${try(var.outcomes.bad_share, "null")} must lie between 0 and 1, and bad_share_of ${try(var.outcomes.bad_share_of, "null")} be at least 1."
  }

  validation {
    condition     = var.outcomes == null || try(var.outcomes.failed_at >= 1, false)
    error_message = "outcomes.failed_at is ${try(var.outcomes.failed_at, "null")}: use at least 1."
  }

  validation {
    condition     = try(var.outcomes.expected_every, null) == null || try(contains(range(1, 25), var.outcomes.expected_every), false)
    error_message = "outcomes.expected_every is ${coalesce(try(var.outcomes.expected_every, null), 0)} hours: use a whole number from 1 to 24."
  }
}

variable "queries" {
  description = "Logs Insights queries to save, by name: over which `log_groups`, and the `query`."
  type        = map(object({ log_groups = list(string), query = string }))
  default     = {}
  nullable    = false
}

variable "queues" {
  description = "Queues by a name of your choice: `name`, and the age in seconds of the oldest message at which an alarm goes off."
  type        = map(object({ name = string, max_age = optional(number, 900) }))
  default     = {}
  nullable    = false
}

variable "rules" {
  description = "EventBridge rules by a name of your choice: `name`, and the `bus` they are on. Alarms go off when a target could not be reached."
  type        = map(object({ name = string, bus = optional(string, "default") }))
  default     = {}
  nullable    = false
}

variable "schemas" {
  description = "Schemas of events, by name, for a registry of EventBridge's: `content` is JSON, of the `type` JSONSchemaDraft4 or OpenApi3. Empty: no registry."
  type = map(object({
    content     = string
    description = optional(string)
    type        = optional(string, "JSONSchemaDraft4")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, schema in var.schemas : can(regex("^[0-9A-Za-z_.@-]{1,385}$", name)) && contains(["JSONSchemaDraft4", "OpenApi3"], schema.type) && can(keys(jsondecode(schema.content)))])
    error_message = "schemas: a name is 1 to 385 letters, digits, _, -, . or @, a type JSONSchemaDraft4 or OpenApi3, and content a JSON object, unlike those of ${join(", ", [for name, schema in var.schemas : name if !(can(regex("^[0-9A-Za-z_.@-]{1,385}$", name)) && contains(["JSONSchemaDraft4", "OpenApi3"], schema.type) && can(keys(jsondecode(schema.content))))])}."
  }
}

variable "stages" {
  description = "Metrics in milliseconds of what a unit of work spends its time on, in one namespace with the same dimensions; the dashboard shows their averages, stacked. Null: none."
  type        = object({ namespace = string, dimensions = map(string), metrics = list(string) })
  default     = null
}

variable "tables" {
  description = "DynamoDB tables by a name of your choice: `name`, and the names of their global secondary `indexes`, which a plan has to know. Alarms go off when a table or an index throttles writes."
  type        = map(object({ name = string, indexes = optional(list(string), []) }))
  default     = {}
  nullable    = false
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

variable "topics" {
  description = "Names of SNS topics, by a name of your choice: an alarm goes off when a subscriber could not be reached."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "workflows" {
  description = "Step Functions state machines by a name of your choice: `arn`, and their `type`, which a plan has to know. Alarms go off when an execution fails or takes too long, when state transitions are throttled (STANDARD only: EXPRESS has no such limit), and when the account starts more executions than its quota allows."
  type        = map(object({ arn = string, type = string }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for workflow in values(var.workflows) : can(regex("^arn:[^:]+:states:.*:stateMachine:", workflow.arn)) && contains(["EXPRESS", "STANDARD"], workflow.type)])
    error_message = "workflows: an `arn` of a state machine and a `type` EXPRESS or STANDARD, unlike those of ${join(", ", [for key, workflow in var.workflows : "${key} (${workflow.arn}, ${workflow.type})" if !(can(regex("^arn:[^:]+:states:.*:stateMachine:", workflow.arn)) && contains(["EXPRESS", "STANDARD"], workflow.type))])}."
  }
}
