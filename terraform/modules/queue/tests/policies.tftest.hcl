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

run "only_senders_may_send_and_only_over_tls" {
  command = plan

  variables {
    senders = {
      order_placed = {
        service     = "events.amazonaws.com"
        source_arns = ["arn:aws:events:eu-central-1:123456789012:rule/order-placed"]
      }
    }

    policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Partner\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::210987654321:root\"},\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:aws:sqs:eu-central-1:123456789012:orders\"}]}"]
  }

  assert {
    condition = jsondecode(aws_sqs_queue.this.policy).Statement == [
      {
        Sid       = "Partner"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders"
      },
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "SenderOrderPlaced"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders"
        Condition = {
          ArnLike = { "aws:SourceArn" = "arn:aws:events:eu-central-1:123456789012:rule/order-placed" }
        }
      },
    ]
    error_message = "The queue's policy must have the given statements, TLS, and one statement per sender: ${aws_sqs_queue.this.policy}"
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dlq[0].policy).Statement == [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders-dlq"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
    error_message = "The DLQ's policy must require TLS and allow nothing: ${aws_sqs_queue.dlq[0].policy}"
  }
}

run "sender_without_account_gets_this_account" {
  command = plan

  variables {
    senders = {
      bucket = { service = "s3.amazonaws.com", source_arns = ["arn:aws:s3:::orders"] }
    }
  }

  assert {
    condition = jsondecode(aws_sqs_queue.this.policy).Statement[1].Condition == {
      ArnLike      = { "aws:SourceArn" = "arn:aws:s3:::orders" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "A bucket's ARN has no account, so the account must be a condition: ${aws_sqs_queue.this.policy}"
  }
}
