variable "name" {
  description = "Name of the table."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "name \"${var.name}\" must be 3 to 255 letters, digits, _, . or -."
  }
}

variable "partition_key" {
  description = "The partition key: the attribute's name and its type S (string), N (number) or B (binary). Another one makes another table."
  type = object({
    name = string
    type = optional(string, "S")
  })
  nullable = false

  validation {
    condition     = contains(["S", "N", "B"], var.partition_key.type)
    error_message = "partition_key.type is ${var.partition_key.type}; a key is S, N or B."
  }
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table."
  type        = bool
  default     = false
  nullable    = false
}

variable "indexes" {
  description = "Global secondary indexes by name. `projection` is ALL or KEYS_ONLY; `projected_attributes` names the attributes to copy besides the keys instead."
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
    error_message = "A projection is ALL or KEYS_ONLY: ${join(", ", [for name, index in var.indexes : "${name} says ${index.projection}"])}."
  }

  validation {
    condition     = alltrue([for key in flatten([for index in values(var.indexes) : concat([index.partition_key], index.sort_key[*])]) : contains(["S", "N", "B"], key.type)])
    error_message = "A key is S, N or B: ${join(", ", [for key in flatten([for index in values(var.indexes) : concat([index.partition_key], index.sort_key[*])]) : "${key.name} says ${key.type}"])}."
  }
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts the table, its indexes, its stream and its backups. Null takes the key `aws/dynamodb`, which AWS manages."
  type        = string
  default     = null
}

variable "point_in_time_recovery" {
  description = "Continuous backups: the table can be restored to any second of the last `days` days (1 to 35; 35 where DynamoDB was never told otherwise). Null switches them off."
  type = object({
    days = optional(number)
  })
  default = {}

  validation {
    condition     = try(var.point_in_time_recovery.days >= 1 && var.point_in_time_recovery.days <= 35, true)
    error_message = "point_in_time_recovery.days is ${coalesce(try(var.point_in_time_recovery.days, null), 0)}; DynamoDB admits 1 to 35."
  }
}

variable "sort_key" {
  description = "The sort key, like `partition_key`. Null for a table of one item per partition key. Another one makes another table."
  type = object({
    name = string
    type = optional(string, "S")
  })
  default = null

  validation {
    condition     = var.sort_key == null || try(contains(["S", "N", "B"], var.sort_key.type), false)
    error_message = "sort_key.type is ${try(var.sort_key.type, "null")}; a key is S, N or B."
  }
}

variable "stream" {
  description = "What the table's stream of changes shows: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES. Null makes no stream."
  type        = string
  default     = null

  validation {
    condition     = var.stream == null || try(contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], var.stream), false)
    error_message = "stream is ${var.stream == null ? "null" : var.stream}; it must be KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES."
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
  description = "Name of the attribute that holds the time, in seconds since 1970, after which DynamoDB deletes an item. Null keeps items for ever."
  type        = string
  default     = null
}
