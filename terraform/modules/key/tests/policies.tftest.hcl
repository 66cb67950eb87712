# The policies, as the real provider renders them: offline, for a plan of new resources calls nothing.

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

run "nobody_but_the_account_is_admitted_by_default" {
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
    error_message = "The account's IAM policies alone must decide: ${aws_kms_key.this.policy}"
  }
}

run "each_service_is_bound_to_its_source_or_its_context" {
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
    error_message = "The key's policy must hold one grant a service, each with its conditions: ${aws_kms_key.this.policy}"
  }
}

run "a_source_whose_arn_names_no_account_is_held_to_this_one" {
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
    error_message = "A bucket's name can pass to another account: ${aws_kms_key.this.policy}"
  }
}
