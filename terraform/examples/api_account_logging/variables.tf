variable "region" {
  description = "AWS region whose APIs write logs."
  type        = string
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of a policy that bounds what the role may ever do. Null: none."
  type        = string
  default     = null
}
