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

run "only_publishers_may_publish_and_only_over_tls" {
  command = plan

  variables {
    key_arn = "arn:aws:kms:eu-central-1:123456789012:key/orders"

    publishers = {
      findings = { service = "events.amazonaws.com" }
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
        Sid       = "PublisherFindings"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:orders"
      },
      {
        Sid       = "PublisherStuckOrders"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:orders"
        Condition = {
          ArnLike = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-*" }
        }
      },
    ]
    error_message = "The topic's policy must have the given statements, TLS, and one statement per publisher: ${aws_sns_topic.this.policy}"
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
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders-dlq"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "SenderTopic"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders-dlq"
        Condition = {
          ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-central-1:123456789012:orders" }
        }
      },
    ]
    error_message = "The DLQ's policy must require TLS and allow only the topic: ${aws_sqs_queue.dlq.policy}"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq.redrive_allow_policy) == { redrivePermission = "denyAll" }
    error_message = "No queue may use it as its DLQ."
  }
}

run "publisher_without_account_gets_this_account" {
  command = plan

  variables {
    key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/orders"
    publishers = { bucket = { service = "s3.amazonaws.com", source_arns = ["arn:aws:s3:::orders"] } }
  }

  assert {
    condition = jsondecode(aws_sns_topic.this.policy).Statement[1].Condition == {
      ArnLike      = { "aws:SourceArn" = "arn:aws:s3:::orders" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "A bucket's ARN has no account, so the account must be a condition: ${aws_sns_topic.this.policy}"
  }
}

run "dlq_does_not_depend_on_a_key" {
  command = plan

  variables {
    key_arn = "arn:aws:kms:eu-central-1:123456789012:key/orders"
  }

  assert {
    condition     = aws_sqs_queue.dlq.kms_master_key_id == null && aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "Messages that SNS may not encrypt with the topic's key must still reach the DLQ."
  }
}
