variable "name" {
  description = "Name of the topic. The name of the subscriptions' dead-letter queue (DLQ) is `<name>-dlq`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,76}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 1 to 76 letters, digits, _ or - (the limit of SQS is 80, and the DLQ appends 4)."
  }
}

variable "display_name" {
  description = "Sender's name in e-mails and SMS. Null: no name."
  type        = string
  default     = null
}

variable "dlq_retention" {
  description = "Seconds for which the DLQ keeps a message (60 to 1209600, which is 14 days)."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = var.dlq_retention >= 60 && var.dlq_retention <= 1209600
    error_message = "dlq_retention is ${var.dlq_retention} s: use 60 to 1209600, the range of SQS."
  }
}

variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the topic. Its policy must allow every publishing service. Null: the key that AWS manages for SNS. With it no AWS service can publish, so `publishers` must be empty."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn ${coalesce(var.key_arn, "null")} is not valid: use the ARN of a KMS key."
  }
}

variable "policy_documents" {
  description = "Additional statements of the topic's policy, as JSON documents, for example to allow another account to subscribe. Use the output `static_arn` in them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "policy_documents: every element must be a JSON document."
  }
}

variable "publishers" {
  description = "AWS services that may publish to the topic, by a name of your choice. `source_arns` (wildcards allowed) are the publishers, such as alarms of this account; they become the condition `aws:SourceArn`. ARNs without an account, such as those of buckets, add the condition `aws:SourceAccount`. EventBridge (`events.amazonaws.com`) supports no condition in a topic's policy, so it has no `source_arns`."
  type = map(object({
    service     = string # such as cloudwatch.amazonaws.com
    source_arns = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.publishers) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "publishers: use lower-case letters, digits and _ in the names, unlike ${join(", ", keys(var.publishers))}."
  }

  validation {
    condition     = alltrue([for publisher in values(var.publishers) : publisher.service == "events.amazonaws.com" || length(publisher.source_arns) > 0])
    error_message = "publishers: without source_arns, any account could publish through the service. Set them for ${join(", ", [for name, publisher in var.publishers : name if publisher.service != "events.amazonaws.com" && length(publisher.source_arns) == 0])}."
  }

  # docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
  validation {
    condition     = alltrue([for publisher in values(var.publishers) : publisher.service != "events.amazonaws.com" || length(publisher.source_arns) == 0])
    error_message = "publishers: EventBridge cannot publish if a statement of the topic's policy has a condition. Remove source_arns from ${join(", ", [for name, publisher in var.publishers : name if publisher.service == "events.amazonaws.com" && length(publisher.source_arns) > 0])}."
  }

  validation {
    condition     = length(var.publishers) == 0 || var.key_arn != null
    error_message = "publishers: the key that AWS manages for SNS allows no AWS service, so no message of ${join(", ", [for name, publisher in var.publishers : "${name} (${publisher.service})"])} would arrive. Set key_arn to a key whose policy allows these services."
  }
}

variable "subscriptions" {
  description = <<-EOT
    Subscriptions by name. A message that cannot be delivered goes to the DLQ. A queue's policy must allow the topic (and
    its key `sns.amazonaws.com`), a function's permissions too; the owner of an e-mail address must confirm the
    subscription. `filter_policy` (JSON) applies to the message's attributes or, with the scope `MessageBody`, to its JSON
    body. `raw` delivers the message without SNS's envelope (sqs, https and firehose).
  EOT
  type = map(object({
    protocol            = string # sqs, lambda, https, email, email-json, sms, firehose or application
    endpoint            = string # an ARN, a URL, an address or a number
    filter_policy       = optional(string)
    filter_policy_scope = optional(string, "MessageAttributes")
    raw                 = optional(bool, false)
    role_arn            = optional(string) # for firehose only
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : contains(["application", "email", "email-json", "firehose", "https", "lambda", "sms", "sqs"], subscription.protocol)])
    error_message = "subscriptions: use application, email, email-json, firehose, https, lambda, sms or sqs as protocol (not http, which is not encrypted). They are ${join(", ", [for name, subscription in var.subscriptions : "${subscription.protocol} of ${name}"])}."
  }

  validation {
    condition = alltrue([for subscription in values(var.subscriptions) : can(regex({
      application = "^arn:[^:]+:sns:.*:(endpoint|app)/"
      firehose    = "^arn:[^:]+:firehose:"
      https       = "^https://"
      lambda      = "^arn:[^:]+:lambda:"
      sqs         = "^arn:[^:]+:sqs:[^.]+$"
    }[subscription.protocol], subscription.endpoint)) || contains(["email", "email-json", "sms"], subscription.protocol)])
    error_message = "subscriptions: an endpoint must match its protocol: an ARN of that service (a FIFO queue cannot subscribe to a standard topic), or a URL that begins with https://. They are ${join(", ", [for name, subscription in var.subscriptions : "${name} (${subscription.protocol} to ${subscription.endpoint})"])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : !subscription.raw || contains(["firehose", "https", "sqs"], subscription.protocol)])
    error_message = "subscriptions: set raw only for sqs, https and firehose. With raw: ${join(", ", [for name, subscription in var.subscriptions : "${name} is ${subscription.protocol}" if subscription.raw])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : (subscription.protocol == "firehose") == (subscription.role_arn != null)])
    error_message = "subscriptions: set role_arn for firehose, and only for it: ${join(", ", [for name, subscription in var.subscriptions : "${name} is ${subscription.protocol}"])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : subscription.filter_policy == null || can(jsondecode(subscription.filter_policy))])
    error_message = "subscriptions: a filter_policy must be JSON, unlike that of ${join(", ", [for name, subscription in var.subscriptions : name if subscription.filter_policy != null && !can(jsondecode(subscription.filter_policy))])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : contains(["MessageAttributes", "MessageBody"], subscription.filter_policy_scope)])
    error_message = "subscriptions: use MessageAttributes or MessageBody as filter_policy_scope. They are ${join(", ", [for name, subscription in var.subscriptions : "${subscription.filter_policy_scope} of ${name}"])}."
  }
}

variable "tags" {
  description = "Tags of the topic and its DLQ."
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
  description = "If true, SNS adds its segment to the X-Ray traces of messages; the account's X-Ray resource policy must allow it. If false, SNS only forwards the trace."
  type        = bool
  default     = true
  nullable    = false
}
