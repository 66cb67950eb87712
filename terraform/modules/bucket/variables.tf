variable "name" {
  description = "Name of the bucket, in full: nobody else in the world may have it, so it should end in the account's id."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name \"${var.name}\" must be 3 to 63 lower case letters, digits or -, and neither begin nor end with -."
  }

  validation {
    condition     = !can(regex("^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3|-an)$", var.name))
    error_message = "name \"${var.name}\": S3 reserves names that begin with xn--, sthree- or amzn-s3-demo-, or end with -s3alias, --ol-s3, --x-s3, --table-s3 or -an. Choose another name."
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
}

variable "versioned" {
  description = "Whether S3 keeps the versions of an object that others replaced or that were deleted."
  type        = bool
  default     = true
  nullable    = false
}
