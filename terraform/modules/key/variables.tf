variable "name" {
  description = "Name of the key: its alias becomes `alias/<name>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "name \"${var.name}\" must be 1 to 250 letters, digits, /, _ or -, and must not begin with aws/."
  }
}

variable "deletion_window_days" {
  description = "Days between the destruction of this resource and the deletion of the key, during which it can be restored (7 to 30)."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is ${var.deletion_window_days}; KMS admits 7 to 30."
  }
}

variable "description" {
  description = "What the key protects, as the KMS console shows it. Null says that Terraform manages it."
  type        = string
  default     = null
}

variable "policy_documents" {
  description = "More statements for the key's policy, as JSON documents: for example to admit another account."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "Every element of policy_documents must be a JSON document."
  }
}

variable "rotation_days" {
  description = "Days between automatic rotations of the key material (90 to 2560)."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = var.rotation_days >= 90 && var.rotation_days <= 2560
    error_message = "rotation_days is ${var.rotation_days}; KMS admits 90 to 2560."
  }
}

variable "services" {
  description = <<-EOT
    AWS services that may use the key themselves, by a name for each grant. `source_arns` (wildcards admitted) becomes the
    condition `aws:SourceArn`; ARNs without an account, such as those of buckets, add the condition `aws:SourceAccount`.
    `encryption_context` becomes conditions `kms:EncryptionContext:<key>` (wildcards admitted), for the services that send
    no source: CloudWatch Logs (`aws:logs:arn`), and EventBridge publishing to an encrypted SNS topic
    (`aws:sns:topicArn`), where AWS supports no condition on the source. One of the two is required.
  EOT
  type = map(object({
    service            = string # such as sns.amazonaws.com
    source_arns        = optional(list(string), [])
    actions            = optional(list(string), ["kms:Decrypt", "kms:GenerateDataKey"])
    encryption_context = optional(map(list(string)), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.services) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "The names of services must be lower case letters, digits and _: ${join(", ", keys(var.services))}."
  }

  validation {
    condition     = alltrue([for grant in values(var.services) : length(grant.source_arns) + length(grant.encryption_context) > 0])
    error_message = "Without source_arns or encryption_context anybody's use of the service could use the key; give one of them to: ${join(", ", [for name, grant in var.services : name if length(grant.source_arns) + length(grant.encryption_context) == 0])}."
  }
}

variable "tags" {
  description = "Tags of the key."
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
