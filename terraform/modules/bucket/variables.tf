variable "name" {
  description = "Full name of the bucket. It must be globally unique, so include the account's id and the region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 3 to 63 lower-case letters, digits or -, and no - at the beginning or end."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition     = !can(regex("^(amzn-s3-demo-|sthree-|xn--)|(--ol-s3|--table-s3|--x-s3|-an|-s3alias)$", var.name))
    error_message = "name \"${var.name}\" begins with amzn-s3-demo-, sthree- or xn--, or ends with --ol-s3, --table-s3, --x-s3, -an or -s3alias: S3 reserves these names. Use another."
  }
}

variable "access_log" {
  description = "Bucket and key prefix for S3's log of every request. The bucket's policy must allow `logging.s3.amazonaws.com`. Null: no log."
  type = object({
    bucket = string
    prefix = optional(string, "")
  })
  default = null
}

variable "cors" {
  description = "Requests that browsers may send from pages of other origins. `max_age`: seconds for which they cache the answer. Empty: no such requests."
  type = list(object({
    allowed_origins = list(string)
    allowed_methods = list(string)
    allowed_headers = optional(list(string), [])
    expose_headers  = optional(list(string), [])
    max_age         = optional(number, 3600)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for method in flatten(var.cors[*].allowed_methods) : contains(["DELETE", "GET", "HEAD", "POST", "PUT"], method)])
    error_message = "cors: use DELETE, GET, HEAD, POST or PUT in allowed_methods, not ${join(", ", setsubtract(flatten(var.cors[*].allowed_methods), ["DELETE", "GET", "HEAD", "POST", "PUT"]))}."
  }
}

variable "eventbridge" {
  description = "If true, S3 sends object events to the account's default event bus."
  type        = bool
  default     = false
  nullable    = false
}

variable "force_destroy" {
  description = "If true, destroying the bucket deletes its objects. If false, a bucket with objects cannot be destroyed."
  type        = bool
  default     = false
  nullable    = false
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts the objects. An upload that specifies an encryption must then specify this key. Null: keys owned by S3."
  type        = string
  default     = null

  # The bucket's policy compares it with the key of an upload.
  validation {
    condition     = var.key_arn == null || !strcontains(coalesce(var.key_arn, "none"), ":alias/")
    error_message = "key_arn ${coalesce(var.key_arn, "none")} is the ARN of an alias: use the ARN of the key."
  }
}

variable "policy_documents" {
  description = "Additional statements of the bucket's policy, as JSON documents, for example to allow another account to read."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "policy_documents: every element must be a JSON document."
  }
}

variable "retention" {
  description = <<-EOT
    Days after which S3 aborts an unfinished multipart upload (`abort_multipart_days`), deletes an object
    (`expiration_days`), deletes a replaced version (`noncurrent_days`), and moves an object to another storage class
    (`transitions`, such as `{ INTELLIGENT_TIERING = 0 }`). Null: S3 keeps everything forever.
  EOT
  type = object({
    abort_multipart_days = optional(number, 7)
    expiration_days      = optional(number)
    noncurrent_days      = optional(number)
    transitions          = optional(map(number), {})
  })
  default = {}

  validation {
    condition     = var.retention == null || try(alltrue([for storage_class in keys(var.retention.transitions) : contains(["DEEP_ARCHIVE", "GLACIER", "GLACIER_IR", "INTELLIGENT_TIERING", "ONEZONE_IA", "STANDARD_IA"], storage_class)]), false)
    error_message = "retention: use DEEP_ARCHIVE, GLACIER, GLACIER_IR, INTELLIGENT_TIERING, ONEZONE_IA or STANDARD_IA in transitions, not ${try(join(", ", keys(var.retention.transitions)), "null")}."
  }
}

variable "tags" {
  description = "Tags of the bucket."
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

variable "versioned" {
  description = "If true, S3 keeps replaced and deleted versions of an object."
  type        = bool
  default     = true
  nullable    = false
}
