variable "name" {
  description = "Name of the table."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "name \"${var.name}\" is not valid: use 3 to 255 letters, digits, _, . or -."
  }
}

variable "partition_key" {
  description = "The partition key: the attribute's name and its type S (string), N (number) or B (binary). A change replaces the table."
  type = object({
    name = string
    type = optional(string, "S")
  })
  nullable = false

  validation {
    condition     = contains(["S", "N", "B"], var.partition_key.type)
    error_message = "partition_key.type is ${var.partition_key.type}: use S, N or B."
  }
}

variable "deletion_protection" {
  description = "If true, DynamoDB refuses to delete the table."
  type        = bool
  default     = false
  nullable    = false
}

variable "indexes" {
  description = "Global secondary indexes by name. `projection` is ALL or KEYS_ONLY; `projected_attributes` copies these attributes and the keys instead."
  type = map(object({
    partition_key = object({
      name = string
      type = optional(string, "S")
    })
    sort_key = optional(object({
      name = string
      type = optional(string, "S")
    }))
    projection           = optional(string, "ALL")
    projected_attributes = optional(set(string))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for index in values(var.indexes) : contains(["ALL", "KEYS_ONLY"], index.projection)])
    error_message = "indexes: use ALL or KEYS_ONLY as projection. They are ${join(", ", [for name, index in var.indexes : "${index.projection} of ${name}"])}."
  }

  validation {
    condition     = alltrue([for key in flatten([for index in values(var.indexes) : concat([index.partition_key], index.sort_key[*])]) : contains(["S", "N", "B"], key.type)])
    error_message = "indexes: use S, N or B as type of a key. They are ${join(", ", [for key in flatten([for index in values(var.indexes) : concat([index.partition_key], index.sort_key[*])]) : "${key.type} of ${key.name}"])}."
  }
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts the table, its indexes, its stream and its backups. Null: the key `aws/dynamodb`, which AWS manages."
  type        = string
  default     = null
}

variable "point_in_time_recovery" {
  description = "Continuous backups: the table can be restored to any second of the last `days` days (1 to 35; null: DynamoDB's default of 35). Null: no backups."
  type = object({
    days = optional(number)
  })
  default = {}

  validation {
    condition     = try(var.point_in_time_recovery.days >= 1 && var.point_in_time_recovery.days <= 35, true)
    error_message = "point_in_time_recovery.days is ${coalesce(try(var.point_in_time_recovery.days, null), 0)}: use 1 to 35, the range of DynamoDB."
  }
}

variable "sort_key" {
  description = "The sort key, like `partition_key`. Null for a table of one item per partition key. A change replaces the table."
  type = object({
    name = string
    type = optional(string, "S")
  })
  default = null

  validation {
    condition     = var.sort_key == null || try(contains(["S", "N", "B"], var.sort_key.type), false)
    error_message = "sort_key.type is ${try(var.sort_key.type, "null")}: use S, N or B."
  }
}

variable "stream" {
  description = "Content of the table's stream of changes: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES. Null: no stream."
  type        = string
  default     = null

  validation {
    condition     = var.stream == null || try(contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], var.stream), false)
    error_message = "stream is ${var.stream == null ? "null" : var.stream}: use KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES."
  }
}

variable "tags" {
  description = "Tags of the table."
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

variable "ttl_attribute" {
  description = "Name of the attribute with the time, in seconds since 1970, after which DynamoDB deletes an item. Null: items do not expire."
  type        = string
  default     = null
}
