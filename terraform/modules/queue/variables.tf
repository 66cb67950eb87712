variable "name" {
  description = "Name of the queue. Its dead-letter queue is called `<name>-dlq`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,76}$", var.name))
    error_message = "name \"${var.name}\" must be 1 to 76 letters, digits, _ or - (SQS admits 80; the dead-letter queue appends 4)."
  }
}

variable "consumer" {
  description = "The Lambda function that polls the queue: its timeout and the batch window of its event source mapping, in seconds. The visibility timeout must then be at least 6 × the function timeout plus the batch window. Null makes no such demand."
  type = object({
    function_timeout = number
    batch_window     = optional(number, 0)
  })
  default = null
}

variable "dlq" {
  description = "The dead-letter queue: a message goes there after `max_receive_count` receives without a deletion, and rests for `retention` seconds, counted from when it was first sent. Null makes none."
  type = object({
    max_receive_count = optional(number, 5)
    retention         = optional(number, 1209600)
  })
  default = {}

  validation {
    condition     = var.dlq == null || try(var.dlq.max_receive_count >= 1 && var.dlq.max_receive_count <= 1000, false)
    error_message = "dlq.max_receive_count is ${try(var.dlq.max_receive_count, "null")}; SQS admits 1 to 1000."
  }

  validation {
    condition     = var.dlq == null || try(var.dlq.retention >= 60 && var.dlq.retention <= 1209600, false)
    error_message = "dlq.retention is ${try(var.dlq.retention, "null")} s; SQS admits 60 to 1209600."
  }
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts both queues. Its policy must admit the senders; that of the AWS-managed key admits no AWS service. Null takes a key that SQS owns, for which nobody needs a permission."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn must be the ARN of a KMS key, not ${coalesce(var.key_arn, "null")}: the key behind alias/aws/sqs admits no AWS service."
  }
}

variable "key_reuse_period" {
  description = "Seconds for which SQS reuses a data key before it asks KMS for another (60 to 86400): longer is cheaper, shorter ends access sooner once the key is disabled."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.key_reuse_period >= 60 && var.key_reuse_period <= 86400
    error_message = "key_reuse_period is ${var.key_reuse_period} s; SQS admits 60 to 86400."
  }
}

variable "message_retention" {
  description = "Seconds for which an unconsumed message is kept (60 to 1209600, which is 14 days)."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.message_retention >= 60 && var.message_retention <= 1209600
    error_message = "message_retention is ${var.message_retention} s; SQS admits 60 to 1209600."
  }
}

variable "policy_documents" {
  description = "More statements for the queue's policy, as JSON documents: for example to admit another account. They name the queue by the output `static_arn`."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "Every element of policy_documents must be a JSON document."
  }
}

variable "receive_wait" {
  description = "Seconds for which a receive waits for a message to arrive (0 to 20): long polling makes fewer empty, billed requests."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.receive_wait >= 0 && var.receive_wait <= 20
    error_message = "receive_wait is ${var.receive_wait} s; SQS admits 0 to 20."
  }
}

variable "redrive_sources" {
  description = "ARNs of the queues (at most 10) that may use this queue as their dead-letter queue. Empty admits none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.redrive_sources : can(regex("^arn:[^:]+:sqs:[^.]+$", arn))])
    error_message = "redrive_sources must be ARNs of standard SQS queues: ${join(", ", [for arn in var.redrive_sources : arn if !can(regex("^arn:[^:]+:sqs:[^.]+$", arn))])}."
  }

  validation {
    condition     = length(var.redrive_sources) <= 10
    error_message = "redrive_sources names ${length(var.redrive_sources)} queues; SQS admits 10."
  }
}

variable "senders" {
  description = "AWS services that may send to the queue, by a name for each grant. `source_arns` (wildcards admitted) are what sends on the service's behalf, such as rules or topics, and must belong to this account: they become the condition `aws:SourceArn`. ARNs without an account, such as those of buckets, add the condition `aws:SourceAccount`."
  type = map(object({
    service     = string # such as events.amazonaws.com
    source_arns = list(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.senders) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "The names of senders must be lower case letters, digits and _: ${join(", ", keys(var.senders))}."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : length(sender.source_arns) > 0])
    error_message = "Without source_arns nothing could send; name them for: ${join(", ", [for name, sender in var.senders : name if length(sender.source_arns) == 0])}."
  }
}

variable "tags" {
  description = "Tags of both queues."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")])
    error_message = "tags: a key has 1 to 128 and a value up to 256 letters, digits, spaces and _.:/=+@-, and a key does not begin with aws:, unlike ${join(", ", [for key, value in var.tags : "\"${key}\"" if !(can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:"))])}."
  }

  # To IAM they are the same key, to most other services two.
  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags: ${join(", ", [for key in keys(var.tags) : "\"${key}\"" if length([for other in keys(var.tags) : other if lower(other) == lower(key)]) > 1])} differ only in case: keep one of them."
  }
}

variable "visibility_timeout" {
  description = "Seconds for which a received message stays hidden from other consumers (0 to 43200). Null takes what the consumer needs, at least 30."
  type        = number
  default     = null

  validation {
    condition     = var.visibility_timeout == null || try(var.visibility_timeout >= 0 && var.visibility_timeout <= 43200, false)
    error_message = "visibility_timeout is ${var.visibility_timeout == null ? "null" : var.visibility_timeout} s; SQS admits 0 to 43200."
  }
}
