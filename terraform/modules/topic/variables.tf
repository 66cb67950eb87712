variable "name" {
  description = "Name of the topic. The dead-letter queue of its subscriptions is called `<name>-dlq`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,76}$", var.name))
    error_message = "name \"${var.name}\" must be 1 to 76 letters, digits, _ or - (SQS admits 80; the dead-letter queue appends 4)."
  }
}

variable "display_name" {
  description = "Name of the sender that e-mails and SMS show. Null shows none."
  type        = string
  default     = null
}

variable "dlq_retention" {
  description = "Seconds for which an undelivered message rests in the dead-letter queue (60 to 1209600, which is 14 days)."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = var.dlq_retention >= 60 && var.dlq_retention <= 1209600
    error_message = "dlq_retention is ${var.dlq_retention} s; SQS admits 60 to 1209600."
  }
}

variable "key_arn" {
  description = "ARN of the customer-managed KMS key that encrypts the topic. Its policy must admit every publishing service. Null takes the key that AWS manages for SNS, with which no other AWS service can publish: `publishers` must then be empty."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(regex("^arn:[^:]+:kms:", var.key_arn))
    error_message = "key_arn must be the ARN of a KMS key, not ${coalesce(var.key_arn, "null")}."
  }
}

variable "policy_documents" {
  description = "More statements for the topic's policy, as JSON documents: for example to let another account subscribe. They name the topic by the output `static_arn`."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "Every element of policy_documents must be a JSON document."
  }
}

variable "publishers" {
  description = "AWS services that may publish to the topic, by a name for each grant. `source_arns` (wildcards admitted) are what publishes on the service's behalf, such as alarms, and must belong to this account: they become the condition `aws:SourceArn`. ARNs without an account, such as those of buckets, add the condition `aws:SourceAccount`. EventBridge (`events.amazonaws.com`) supports no condition in a topic's policy and takes no `source_arns`."
  type = map(object({
    service     = string # such as cloudwatch.amazonaws.com
    source_arns = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.publishers) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "The names of publishers must be lower case letters, digits and _: ${join(", ", keys(var.publishers))}."
  }

  validation {
    condition     = alltrue([for publisher in values(var.publishers) : publisher.service == "events.amazonaws.com" || length(publisher.source_arns) > 0])
    error_message = "Without source_arns any use of the service could publish; name them for: ${join(", ", [for name, publisher in var.publishers : name if publisher.service != "events.amazonaws.com" && length(publisher.source_arns) == 0])}."
  }

  # docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
  validation {
    condition     = alltrue([for publisher in values(var.publishers) : publisher.service != "events.amazonaws.com" || length(publisher.source_arns) == 0])
    error_message = "EventBridge publishes under no statement of a topic's policy that has a condition; leave source_arns out of: ${join(", ", [for name, publisher in var.publishers : name if publisher.service == "events.amazonaws.com" && length(publisher.source_arns) > 0])}."
  }

  validation {
    condition     = length(var.publishers) == 0 || var.key_arn != null
    error_message = "The key that AWS manages for SNS admits no AWS service, so nothing from ${join(", ", [for name, publisher in var.publishers : "${name} (${publisher.service})"])} would arrive: set key_arn to a key whose policy admits it."
  }
}

variable "subscriptions" {
  description = <<-EOT
    Subscriptions by name; what cannot be delivered to one goes to the topic's dead-letter queue. A queue must admit the
    topic in its policy (and its key must admit `sns.amazonaws.com`), a function in its permissions; an e-mail address is
    asked for its consent. `filter_policy` is JSON, applied to the message's attributes or, with the scope `MessageBody`,
    to its JSON body. `raw` delivers the message without SNS's envelope (sqs, https and firehose).
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
    error_message = "A protocol must be application, email, email-json, firehose, https, lambda, sms or sqs (not http, which is not encrypted): ${join(", ", [for name, subscription in var.subscriptions : "${name} says ${subscription.protocol}"])}."
  }

  validation {
    condition = alltrue([for subscription in values(var.subscriptions) : can(regex({
      application = "^arn:[^:]+:sns:.*:(endpoint|app)/"
      firehose    = "^arn:[^:]+:firehose:"
      https       = "^https://"
      lambda      = "^arn:[^:]+:lambda:"
      sqs         = "^arn:[^:]+:sqs:[^.]+$"
    }[subscription.protocol], subscription.endpoint)) || contains(["email", "email-json", "sms"], subscription.protocol)])
    error_message = "An endpoint must fit its protocol: an ARN of that service (a FIFO queue cannot subscribe to a standard topic), or a URL that begins with https://: ${join(", ", [for name, subscription in var.subscriptions : "${name} is ${subscription.protocol} to ${subscription.endpoint}"])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : !subscription.raw || contains(["firehose", "https", "sqs"], subscription.protocol)])
    error_message = "Only sqs, https and firehose can receive raw messages: ${join(", ", [for name, subscription in var.subscriptions : "${name} is ${subscription.protocol}" if subscription.raw])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : (subscription.protocol == "firehose") == (subscription.role_arn != null)])
    error_message = "role_arn is for firehose, and firehose needs it: ${join(", ", [for name, subscription in var.subscriptions : "${name} is ${subscription.protocol}"])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : subscription.filter_policy == null || can(jsondecode(subscription.filter_policy))])
    error_message = "A filter_policy must be JSON: ${join(", ", [for name, subscription in var.subscriptions : name if subscription.filter_policy != null && !can(jsondecode(subscription.filter_policy))])}."
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : contains(["MessageAttributes", "MessageBody"], subscription.filter_policy_scope)])
    error_message = "A filter_policy_scope must be MessageAttributes or MessageBody: ${join(", ", [for name, subscription in var.subscriptions : "${name} says ${subscription.filter_policy_scope}"])}."
  }
}

variable "tags" {
  description = "Tags of the topic and its dead-letter queue."
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

variable "tracing" {
  description = "Whether SNS adds its own segment to the X-Ray traces of messages, which the account's X-Ray resource policy must allow it; else it only passes the trace on."
  type        = bool
  default     = true
  nullable    = false
}
