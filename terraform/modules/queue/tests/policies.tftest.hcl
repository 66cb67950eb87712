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
    error_message = "The queue's policy must be what was asked for, TLS, and one grant a sender: ${aws_sqs_queue.this.policy}"
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
    error_message = "The dead-letter queue must insist on TLS and admit nobody: ${aws_sqs_queue.dlq[0].policy}"
  }
}

run "a_sender_whose_arn_names_no_account_is_held_to_this_one" {
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
    error_message = "A bucket's name can pass to another account: ${aws_sqs_queue.this.policy}"
  }
}
