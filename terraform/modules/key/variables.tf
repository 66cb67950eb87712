variable "name" {
  description = "Name of the key. Its alias is `alias/<name>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "name \"${var.name}\" is not valid: use 1 to 250 letters, digits, /, _ or -, and do not begin with aws/."
  }
}

variable "deletion_window_days" {
  description = "Days from the destruction of this resource until KMS deletes the key (7 to 30). Until then it can be restored."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is ${var.deletion_window_days}: use 7 to 30, the range of KMS."
  }
}

variable "description" {
  description = "Description of the key in the KMS console. Null: \"Managed by Terraform\"."
  type        = string
  default     = null
}

variable "policy_documents" {
  description = "Additional statements of the key's policy, as JSON documents, for example to allow another account."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "policy_documents: every element must be a JSON document."
  }
}

variable "rotation_days" {
  description = "Days between automatic rotations of the key material (90 to 2560)."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = var.rotation_days >= 90 && var.rotation_days <= 2560
    error_message = "rotation_days is ${var.rotation_days}: use 90 to 2560, the range of KMS."
  }
}

variable "services" {
  description = <<-EOT
    AWS services that may use the key directly, by a name of your choice. `source_arns` (wildcards allowed) becomes the
    condition `aws:SourceArn`; ARNs without an account, such as those of buckets, add the condition `aws:SourceAccount`.
    `encryption_context` becomes conditions `kms:EncryptionContext:<key>` (wildcards allowed), for services that send no
    source: CloudWatch Logs (`aws:logs:arn`), and EventBridge publishing to an encrypted SNS topic (`aws:sns:topicArn`),
    for which AWS supports no condition on the source. One of the two is required.
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
    error_message = "services: use lower-case letters, digits and _ in the names, unlike ${join(", ", keys(var.services))}."
  }

  validation {
    condition     = alltrue([for grant in values(var.services) : length(grant.source_arns) + length(grant.encryption_context) > 0])
    error_message = "services: without source_arns or encryption_context, any account could use the key through the service. Set one of them for ${join(", ", [for name, grant in var.services : name if length(grant.source_arns) + length(grant.encryption_context) == 0])}."
  }
}

variable "tags" {
  description = "Tags of the key."
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
