# The provider reads AWS_ENDPOINT_URL, so this file works for AWS and for an emulator.
provider "aws" {
  region            = var.region
  s3_use_path_style = var.s3_use_path_style

  default_tags {
    tags = merge({ Application = var.name }, var.tags)
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_service_principal" "logs" {
  service_name = "logs"
}
