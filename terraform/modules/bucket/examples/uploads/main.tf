# Uploads from a web page. S3 sends object events to EventBridge, and keeps overwritten and deleted versions for 30 days.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

data "aws_caller_identity" "current" {}

module "uploads" {
  source = "../.."

  name        = "example-uploads-${data.aws_caller_identity.current.account_id}"
  eventbridge = true
  retention   = { noncurrent_days = 30 }

  cors = [{
    allowed_origins = ["https://www.example.com"]
    allowed_methods = ["POST"]
  }]
}

output "name" {
  description = "Name of the bucket to upload to."
  value       = module.uploads.name
}
