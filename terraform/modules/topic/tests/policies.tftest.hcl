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

run "only_publishers_may_publish_and_only_over_tls" {
  command = plan

  variables {
    publishers = {
      stuck_orders = {
        service     = "cloudwatch.amazonaws.com"
        source_arns = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-*"]
      }
    }

    policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Partner\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::210987654321:root\"},\"Action\":\"sns:Subscribe\",\"Resource\":\"arn:aws:sns:eu-central-1:123456789012:orders\"}]}"]
  }

  assert {
    condition = jsondecode(aws_sns_topic.this.policy).Statement == [
      {
        Sid       = "Partner"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = "sns:Subscribe"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:orders"
      },
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action = [
          "sns:Subscribe",
          "sns:SetTopicAttributes",
          "sns:RemovePermission",
          "sns:Publish",
          "sns:ListSubscriptionsByTopic",
          "sns:GetTopicAttributes",
          "sns:DeleteTopic",
          "sns:AddPermission",
        ]
        Resource  = "arn:aws:sns:eu-central-1:123456789012:orders"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "PublisherStuckOrders"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:orders"
        Condition = {
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-*" }
          StringEquals = { "aws:SourceAccount" = "123456789012" }
        }
      },
    ]
    error_message = "The topic's policy must be what was asked for, TLS, and one grant a publisher: ${aws_sns_topic.this.policy}"
  }
}

run "only_the_topic_may_send_to_its_dlq" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.dlq.policy).Statement == [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders-undelivered"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "SenderTopic"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders-undelivered"
        Condition = {
          ArnEquals    = { "aws:SourceArn" = "arn:aws:sns:eu-central-1:123456789012:orders" }
          StringEquals = { "aws:SourceAccount" = "123456789012" }
        }
      },
    ]
    error_message = "The dead-letter queue must insist on TLS and admit the topic alone: ${aws_sqs_queue.dlq.policy}"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq.redrive_allow_policy) == { redrivePermission = "denyAll" }
    error_message = "No queue may use it as its dead-letter queue."
  }
}
