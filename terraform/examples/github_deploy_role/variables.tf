variable "name" {
  description = "Name of the pipeline to deploy. The roles may only change resources whose names begin with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name \"${var.name}\": use 2 to 24 lower-case letters, digits and hyphens, and begin with a letter, as for the root."
  }
}

variable "region" {
  description = "AWS region of the pipeline."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "Name of the repository in GitHub's tokens: `owner/name`, or `owner@id/name@id` for a repository created or renamed after June 2026. `gh api repos/OWNER/NAME/actions/oidc/customization/sub` shows it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?$", var.repository))
    error_message = "repository \"${var.repository}\": use owner/name or owner@id/name@id, without a prefix or wildcard."
  }
}

variable "state_bucket" {
  description = "Bucket of Terraform's state, which is stored under `<name>/<region>/`."
  type        = string
  nullable    = false
}

variable "branch" {
  description = "Branch to deploy on each push."
  type        = string
  default     = "main"
  nullable    = false
}

variable "environment" {
  description = "GitHub environment of the job that applies. Give it required reviewers, and restrict its deployments to `branch`."
  type        = string
  default     = "production"
  nullable    = false
}

variable "oidc_provider_arn" {
  description = "ARN of the account's identity provider for GitHub (an account can have one). Null: create it here."
  type        = string
  default     = null
}
