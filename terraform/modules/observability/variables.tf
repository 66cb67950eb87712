variable "name" {
  description = "Name of the dashboard, and prefix of the names of alarms and saved queries."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 1 to 64 letters, digits, _ or -."
  }
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that get a notification when an alarm starts and when it ends. Empty: alarms are only on the dashboard. An encrypted topic's key must allow cloudwatch.amazonaws.com."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "alarm_topic_arns: use ARNs of SNS topics, unlike ${join(", ", [for arn in var.alarm_topic_arns : arn if !can(regex("^arn:[^:]+:sns:", arn))])}."
  }
}

variable "apis" {
  description = "REST APIs by a name of your choice: names of the `api` and the `stage`. 5xx errors raise an alarm."
  type        = map(object({ api = string, stage = string }))
  default     = {}
  nullable    = false
}

variable "budget" {
  description = "A monthly budget of `usd` US dollars for resources with the cost allocation tag `tag`, which must be activated in the billing console (before that, no costs count). `spent` and `forecast`: percentages, together at most five, at which the topic in `alarm_topic_arns` gets a notification. There must be exactly one topic; its policy, and the key of an encrypted topic, must allow budgets.amazonaws.com. Null: no budget."
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
    error_message = "budget has ${try(length(var.budget.spent) + length(var.budget.forecast), 0)} thresholds (${try(join(", ", concat(var.budget.spent, var.budget.forecast)), "")}): use one to five percentages above 0, the limits of AWS Budgets."
  }
}

variable "costs" {
  description = "Components of the cost estimate on the dashboard: a metric, its billed `statistic`, and the US dollars of one unit. Prices differ by region and change. The estimate shows the largest components and is not an invoice."
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
  description = "DLQs by source: `name`, and `advice`, a sentence on what to do. A message in a DLQ raises an alarm."
  type        = map(object({ name = string, advice = optional(string, "Fix the cause, then redrive.") }))
  default     = {}
  nullable    = false
}

variable "found" {
  description = "Metrics that count problems, by a name of your choice. A value above 0 within five minutes raises an alarm. `advice`: one sentence with the problem, and one with what to do."
  type        = map(object({ namespace = string, metric = string, dimensions = map(string), advice = string }))
  default     = {}
  nullable    = false
}

variable "functions" {
  description = "Lambda functions by a name of your choice: `name`, and `timeout` in seconds. Alarms: `errors` failed invocations within five minutes, a throttled invocation, and an invocation that took more than the share `slow` of the timeout."
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
    error_message = "functions: use a `slow` above 0 and up to 1, and an `errors` of at least 1, unlike ${join(", ", [for name, f in var.functions : name if !(f.slow > 0 && f.slow <= 1 && f.errors >= 1)])}."
  }
}

variable "latencies" {
  description = "Metrics in milliseconds of consecutive parts of the work. The dashboard stacks their p50, p95 and p99."
  type        = list(object({ label = string, namespace = string, metric = string, dimensions = map(string) }))
  default     = []
  nullable    = false
}

variable "outcomes" {
  description = "Results of a unit of work: metrics that count, in one namespace with the same dimensions. `good` and `bad` count finished units; `bad_by` is an additional dimension of `bad`, such as the reason. `failed` counts units that failed and are retried. Alarms: `failed_at` failures within five minutes; a share of `bad` above `bad_share` (0 to 1) of at least `bad_share_of` results within an hour; no finished unit within `expected_every` hours (1 to 24; null: no such alarm)."
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
    error_message = "outcomes: bad_share ${try(var.outcomes.bad_share, "null")} must be from 0 to 1, and bad_share_of ${try(var.outcomes.bad_share_of, "null")} at least 1."
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
  description = "Logs Insights queries to save, by name: their `log_groups` and the `query`."
  type        = map(object({ log_groups = list(string), query = string }))
  default     = {}
  nullable    = false
}

variable "queues" {
  description = "Queues by a name of your choice: `name`, and `max_age`, the age of the oldest message in seconds that raises an alarm."
  type        = map(object({ name = string, max_age = optional(number, 900) }))
  default     = {}
  nullable    = false
}

variable "rules" {
  description = "EventBridge rules by a name of your choice: `name` and `bus`. Alarms: a failed delivery to a target, and an event that also did not reach the DLQ."
  type        = map(object({ name = string, bus = optional(string, "default") }))
  default     = {}
  nullable    = false
}

variable "schemas" {
  description = "Schemas of events, by name, for an EventBridge schema registry: `content` is JSON of the `type` JSONSchemaDraft4 or OpenApi3. Empty: no registry."
  type = map(object({
    content     = string
    description = optional(string)
    type        = optional(string, "JSONSchemaDraft4")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, schema in var.schemas : can(regex("^[0-9A-Za-z_.@-]{1,385}$", name)) && contains(["JSONSchemaDraft4", "OpenApi3"], schema.type) && can(keys(jsondecode(schema.content)))])
    error_message = "schemas: use names of 1 to 385 letters, digits, _, -, . or @, the type JSONSchemaDraft4 or OpenApi3, and a JSON object as content, unlike ${join(", ", [for name, schema in var.schemas : name if !(can(regex("^[0-9A-Za-z_.@-]{1,385}$", name)) && contains(["JSONSchemaDraft4", "OpenApi3"], schema.type) && can(keys(jsondecode(schema.content))))])}."
  }
}

variable "stages" {
  description = "Metrics in milliseconds of the stages of a unit of work, in one namespace with the same dimensions. The dashboard stacks their averages. Null: no such graph."
  type        = object({ namespace = string, dimensions = map(string), metrics = list(string) })
  default     = null
}

variable "tables" {
  description = "DynamoDB tables by a name of your choice: `name`, and the names of its global secondary `indexes`, which must be known at plan. Throttled writes of a table or an index raise an alarm."
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
  description = "Names of SNS topics, by a name of your choice. A failed delivery to a subscriber raises an alarm."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "workflows" {
  description = "Step Functions state machines by a name of your choice: `arn`, and `type`, which must be known at plan. Alarms: a failed execution, an execution that timed out, throttled state transitions (STANDARD only: EXPRESS has no such limit), and throttled starts of executions in the account."
  type        = map(object({ arn = string, type = string }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for workflow in values(var.workflows) : can(regex("^arn:[^:]+:states:.*:stateMachine:", workflow.arn)) && contains(["EXPRESS", "STANDARD"], workflow.type)])
    error_message = "workflows: use the `arn` of a state machine, and EXPRESS or STANDARD as `type`, unlike ${join(", ", [for key, workflow in var.workflows : "${key} (${workflow.arn}, ${workflow.type})" if !(can(regex("^arn:[^:]+:states:.*:stateMachine:", workflow.arn)) && contains(["EXPRESS", "STANDARD"], workflow.type))])}."
  }
}
