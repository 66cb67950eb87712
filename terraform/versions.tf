terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # The state is local unless you configure a backend: docs/deploy.md shows the S3 backend with its own locking.
}
