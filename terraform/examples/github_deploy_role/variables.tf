variable "name" {
  description = "Name of the pipeline that is deployed: what the roles may touch begins with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name \"${var.name}\": use what the root takes, 2 to 24 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "region" {
  description = "AWS region that is deployed to."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "The repository as its tokens call it: `owner/name`; for one made or renamed after June 2026, `owner@id/name@id`. `gh api repos/OWNER/NAME/actions/oidc/customization/sub` tells."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?$", var.repository))
    error_message = "repository \"${var.repository}\": write owner/name or owner@id/name@id, nothing before and no wildcard."
  }
}

variable "state_bucket" {
  description = "Bucket that holds Terraform's state, under `<name>/<region>/`."
  type        = string
  nullable    = false
}

variable "branch" {
  description = "Branch whose pushes are deployed."
  type        = string
  default     = "main"
  nullable    = false
}

variable "environment" {
  description = "GitHub environment that applies. Give it required reviewers, and let it deploy from `branch` only."
  type        = string
  default     = "production"
  nullable    = false
}

variable "oidc_provider_arn" {
  description = "ARN of the account's identity provider for GitHub, of which there can be one. Null: it is made here."
  type        = string
  default     = null
}
