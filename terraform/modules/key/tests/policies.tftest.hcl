# The policies, as the real provider renders them. Offline: a plan of new resources makes no request.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

variables {
  name = "orders"
}

run "only_the_account_has_access_by_default" {
  command = plan

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement == [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::123456789012:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
    ]
    error_message = "Only the account's IAM policies may decide: ${aws_kms_key.this.policy}"
  }
}

run "service_is_bound_to_source_or_context" {
  command = plan

  variables {
    services = {
      topic_to_queue = {
        service     = "sns.amazonaws.com"
        source_arns = ["arn:aws:sns:eu-central-1:123456789012:orders", "arn:aws:sns:eu-central-1:123456789012:refunds"]
      }
      logs = {
        service            = "logs.eu-central-1.amazonaws.com"
        actions            = ["kms:Encrypt"]
        encryption_context = { "aws:logs:arn" = ["arn:aws:logs:eu-central-1:123456789012:log-group:/orders/*"] }
      }
      bus = {
        service            = "events.amazonaws.com"
        source_arns        = ["arn:aws:events:eu-central-1:123456789012:event-bus/orders"]
        encryption_context = { "aws:events:event-bus:arn" = ["arn:aws:events:eu-central-1:123456789012:event-bus/orders"] }
      }
    }

    policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Partner\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::210987654321:root\"},\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"}]}"]
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement == [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::123456789012:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Partner"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = "kms:Decrypt"
        Resource  = "*"
      },
      {
        Sid       = "ServiceBus"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          ArnLike    = { "aws:SourceArn" = "arn:aws:events:eu-central-1:123456789012:event-bus/orders" }
          StringLike = { "kms:EncryptionContext:aws:events:event-bus:arn" = "arn:aws:events:eu-central-1:123456789012:event-bus/orders" }
        }
      },
      {
        Sid       = "ServiceLogs"
        Effect    = "Allow"
        Principal = { Service = "logs.eu-central-1.amazonaws.com" }
        Action    = "kms:Encrypt"
        Resource  = "*"
        Condition = {
          StringLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-central-1:123456789012:log-group:/orders/*" }
        }
      },
      {
        Sid       = "ServiceTopicToQueue"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          ArnLike = { "aws:SourceArn" = ["arn:aws:sns:eu-central-1:123456789012:orders", "arn:aws:sns:eu-central-1:123456789012:refunds"] }
        }
      },
    ]
    error_message = "The key's policy must have one statement per service, with its conditions: ${aws_kms_key.this.policy}"
  }
}

run "source_without_account_gets_this_account" {
  command = plan

  variables {
    services = {
      bucket_to_queue = { service = "s3.amazonaws.com", source_arns = ["arn:aws:s3:::orders"] }
    }
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement[1].Condition == {
      ArnLike      = { "aws:SourceArn" = "arn:aws:s3:::orders" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "A bucket's ARN has no account, so the account must be a condition: ${aws_kms_key.this.policy}"
  }
}
