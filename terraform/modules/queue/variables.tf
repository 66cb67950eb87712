variable "name" {
  description = "Name of the queue. The name of its DLQ is `<name>-dlq`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,76}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 1 to 76 letters, digits, _ or - (the limit of SQS is 80, and the DLQ appends 4)."
  }
}

variable "consumer" {
  description = "The Lambda function that polls the queue: its timeout and the batch window of its event source mapping, in seconds. The visibility timeout must then be at least 6 × the function timeout plus the batch window. Null: no such requirement."
  type = object({
    function_timeout = number
    batch_window     = optional(number, 0)
  })
  default = null
}

variable "dlq" {
  description = "The dead-letter queue (DLQ). A message goes there after `max_receive_count` receives without a deletion, and is kept for `retention` seconds, counted from when it was first sent. Null: no DLQ."
  type = object({
    max_receive_count = optional(number, 5)
    retention         = optional(number, 1209600)
  })
  default = {}

  validation {
    condition     = var.dlq == null || try(var.dlq.max_receive_count >= 1 && var.dlq.max_receive_count <= 1000, false)
    error_message = "dlq.max_receive_count is ${try(var.dlq.max_receive_count, "null")}: use 1 to 1000, the range of SQS."
  }

  validation {
    condition     = var.dlq == null || try(var.dlq.retention >= 60 && var.dlq.retention <= 1209600, false)
    error_message = "dlq.retention is ${try(var.dlq.retention, "null")} s: use 60 to 1209600, the range of SQS."
  }
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts both queues. Its policy must allow the senders; the policy of the AWS-managed key allows no AWS service. Null: a key owned by SQS, which needs no permissions."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn ${coalesce(var.key_arn, "null")} is not valid: use the ARN of a KMS key. The key of alias/aws/sqs allows no AWS service."
  }
}

variable "key_reuse_period" {
  description = "Seconds for which SQS reuses a data key (60 to 86400). A longer period is cheaper; a shorter one ends access sooner after the key is disabled."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.key_reuse_period >= 60 && var.key_reuse_period <= 86400
    error_message = "key_reuse_period is ${var.key_reuse_period} s: use 60 to 86400, the range of SQS."
  }
}

variable "message_retention" {
  description = "Seconds for which SQS keeps a message that is not deleted (60 to 1209600, which is 14 days)."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.message_retention >= 60 && var.message_retention <= 1209600
    error_message = "message_retention is ${var.message_retention} s: use 60 to 1209600, the range of SQS."
  }
}

variable "policy_documents" {
  description = "Additional statements of the queue's policy, as JSON documents, for example to allow another account. Use the output `static_arn` in them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "policy_documents: every element must be a JSON document."
  }
}

variable "receive_wait" {
  description = "Seconds for which a receive waits for a message (0 to 20). Long polling reduces empty requests, which are billed."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.receive_wait >= 0 && var.receive_wait <= 20
    error_message = "receive_wait is ${var.receive_wait} s: use 0 to 20, the range of SQS."
  }
}

variable "redrive_sources" {
  description = "ARNs of the queues (at most 10) that may use this queue as their DLQ. Empty: no queue."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.redrive_sources : can(regex("^arn:[^:]+:sqs:[^.]+$", arn))])
    error_message = "redrive_sources: use ARNs of standard SQS queues, unlike ${join(", ", [for arn in var.redrive_sources : arn if !can(regex("^arn:[^:]+:sqs:[^.]+$", arn))])}."
  }

  validation {
    condition     = length(var.redrive_sources) <= 10
    error_message = "redrive_sources names ${length(var.redrive_sources)} queues: use at most 10, the limit of SQS."
  }
}

variable "senders" {
  description = "AWS services that may send to the queue, by a name of your choice. `source_arns` (with or without wildcards) are the senders, such as rules or topics of this account; they become the condition `aws:SourceArn`. ARNs without an account, such as those of buckets, add the condition `aws:SourceAccount`."
  type = map(object({
    service     = string # such as events.amazonaws.com
    source_arns = list(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.senders) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "senders: use lower-case letters, digits and _ in the names, unlike ${join(", ", keys(var.senders))}."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : length(sender.source_arns) > 0])
    error_message = "senders: without source_arns the service could not send. Set them for ${join(", ", [for name, sender in var.senders : name if length(sender.source_arns) == 0])}."
  }
}

variable "tags" {
  description = "Tags of both queues."
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

variable "visibility_timeout" {
  description = "Seconds for which a received message is hidden from other consumers (0 to 43200). Null: the minimum for the consumer, at least 30."
  type        = number
  default     = null

  validation {
    condition     = var.visibility_timeout == null || try(var.visibility_timeout >= 0 && var.visibility_timeout <= 43200, false)
    error_message = "visibility_timeout is ${var.visibility_timeout == null ? "null" : var.visibility_timeout} s: use 0 to 43200, the range of SQS."
  }
}
