variable "region" {
  description = "AWS region whose APIs write logs."
  type        = string
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the role's permissions boundary. Null: no boundary."
  type        = string
  default     = null
}
