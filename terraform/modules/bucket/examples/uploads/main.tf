# Uploads from a web page: their arrival goes to EventBridge, and what was overwritten or deleted is kept for 30 days.

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
  description = "Upload to this bucket."
  value       = module.uploads.name
}
