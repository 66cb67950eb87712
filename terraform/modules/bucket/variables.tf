variable "name" {
  description = "Name of the bucket, in full: no other bucket in the world may have it, so it should hold the account's id and the region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name \"${var.name}\" must be 3 to 63 lower case letters, digits or -, and neither begin nor end with -."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition     = !can(regex("^(amzn-s3-demo-|sthree-|xn--)|(--ol-s3|--table-s3|--x-s3|-an|-s3alias)$", var.name))
    error_message = "name \"${var.name}\" begins with amzn-s3-demo-, sthree- or xn--, or ends with --ol-s3, --table-s3, --x-s3, -an or -s3alias: S3 keeps these names for itself. Use another."
  }
}

variable "access_log" {
  description = "Where S3 delivers the log of every request: a bucket whose policy admits `logging.s3.amazonaws.com`, and the beginning of the logs' keys. Null writes none."
  type = object({
    bucket = string
    prefix = optional(string, "")
  })
  default = null
}

variable "cors" {
  description = "What browsers may do from pages of other origins; `max_age` is the seconds for which they remember the answer. Empty admits nothing."
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
    error_message = "allowed_methods are DELETE, GET, HEAD, POST and PUT, not ${join(", ", setsubtract(flatten(var.cors[*].allowed_methods), ["DELETE", "GET", "HEAD", "POST", "PUT"]))}."
  }
}

variable "eventbridge" {
  description = "Whether S3 tells the account's default event bus what happens to the objects."
  type        = bool
  default     = false
  nullable    = false
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes the objects in it; else a filled bucket cannot be destroyed."
  type        = bool
  default     = false
  nullable    = false
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts the objects; an upload that names an encryption must then name this key. Null takes keys that S3 owns."
  type        = string
  default     = null

  # The bucket's policy compares it with the key that an upload names.
  validation {
    condition     = var.key_arn == null || !strcontains(coalesce(var.key_arn, "none"), ":alias/")
    error_message = "key_arn ${coalesce(var.key_arn, "none")} must be the ARN of a key, not of an alias."
  }
}

variable "policy_documents" {
  description = "More statements for the bucket's policy, as JSON documents: for example to let another account read."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document))])
    error_message = "Every element of policy_documents must be a JSON document."
  }
}

variable "retention" {
  description = <<-EOT
    Days after which S3 aborts an unfinished multipart upload, deletes an object (`expiration_days`), deletes a version
    that another one replaced (`noncurrent_days`), and moves an object to another storage class (`transitions`, such as
    `{ INTELLIGENT_TIERING = 0 }`). Null leaves all as it is, for ever.
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
    error_message = "The storage classes of transitions are DEEP_ARCHIVE, GLACIER, GLACIER_IR, INTELLIGENT_TIERING, ONEZONE_IA and STANDARD_IA, not ${try(join(", ", keys(var.retention.transitions)), "null")}."
  }
}

variable "tags" {
  description = "Tags of the bucket."
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

variable "versioned" {
  description = "Whether S3 keeps the versions of an object that others replaced or that were deleted."
  type        = bool
  default     = true
  nullable    = false
}
