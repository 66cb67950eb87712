# An API of two services without a function. An order, {"article": "camera", "count": 2, "note": "…"}, becomes a message
# in a queue. A price is the result of a workflow. API Gateway rejects an invalid order.

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

data "aws_service_principal" "logs" {
  service_name = "logs"
}

module "orders_api" {
  source = "../.."

  name        = "example-orders-api"
  description = "Place orders and get prices"
  key_arn     = aws_kms_key.example.arn
  logging     = { level = "ERROR" }

  routes = {
    "POST /orders" = {
      request = {
        schema = jsonencode({
          type                 = "object"
          required             = ["article", "count"]
          additionalProperties = false
          properties = {
            article = { type = "string", pattern = "^[a-z0-9-]{1,40}$" }
            count   = { type = "integer", minimum = 1, maximum = 100 }
            note    = { type = "string", maxLength = 500 }
          }
        })
      }

      integration = {
        service    = "sqs:path/${data.aws_caller_identity.current.account_id}/${aws_sqs_queue.orders.name}"
        parameters = { "header.Content-Type" = "'application/x-www-form-urlencoded'" }
        # The note is free text. It is encoded, so it cannot add a parameter. The caller comes from the signature.
        templates = {
          "application/json" = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)&MessageAttribute.1.Name=customer&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=$util.urlEncode(\"customer:$!context.identity.user\")"
        }
        responses = {
          "2\\d{2}" = { status = 202, template = jsonencode({ order = "$context.extendedRequestId" }) }
          default   = { status = 500, template = jsonencode({ error = { code = "internal_error", message = "Try again later." } }) }
        }
      }
    }

    "GET /articles/{article}/price" = {
      integration = {
        service = "states:action/StartSyncExecution"
        templates = {
          "application/json" = <<-EOT
            #set($article = "$!input.params().path.get('article')")
            #if(!$article.matches("[a-z0-9-]{1,40}"))#set($article = "")#end
            {"stateMachineArn": "${aws_sfn_state_machine.price.arn}", "input": "{\"article\": \"$article\"}"}
          EOT
        }
        responses = {
          "200" = {
            status   = 200
            template = <<-EOT
              #if($input.path('$.status') == "SUCCEEDED")$input.path('$.output')#else#set($context.responseOverride.status = 404)
              {"error": {"code": "not_found", "message": "There is no such article."}}#end
            EOT
          }
          default = { status = 500, template = jsonencode({ error = { code = "internal_error", message = "Try again later." } }) }
        }
      }
    }
  }

  permissions = {
    services = data.aws_iam_policy_document.services.json
  }
}

data "aws_iam_policy_document" "services" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.orders.arn]
  }

  statement {
    actions   = ["states:StartSyncExecution"]
    resources = [aws_sfn_state_machine.price.arn]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.example.arn]
  }
}

resource "aws_sqs_queue" "orders" {
  name              = "example-orders-api-orders"
  kms_master_key_id = aws_kms_key.example.arn
}

resource "aws_sfn_state_machine" "price" {
  name     = "example-orders-api-price"
  type     = "EXPRESS"
  role_arn = aws_iam_role.price.arn

  definition = jsonencode({
    StartAt = "Known"
    States = {
      Known = {
        Type    = "Choice"
        Choices = [{ Variable = "$.article", StringEquals = "camera", Next = "Price" }]
        Default = "Unknown"
      }
      Price   = { Type = "Pass", Result = { price = 499 }, End = true }
      Unknown = { Type = "Fail", Error = "UnknownArticle" }
    }
  })

  tracing_configuration {
    enabled = true
  }
}

resource "aws_iam_role" "price" {
  name = "example-orders-api-price"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "states.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "price" {
  name   = "trace"
  role   = aws_iam_role.price.id
  policy = data.aws_iam_policy_document.trace.json
}

data "aws_iam_policy_document" "trace" {
  statement {
    actions = [
      "xray:GetSamplingRules",
      "xray:GetSamplingTargets",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ]
    resources = ["*"] # X-Ray has no ARNs for traces
  }
}

resource "aws_kms_key" "example" {
  description         = "Encrypts the example's queue and logs"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { AWS = data.aws_caller_identity.current.account_id }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Effect    = "Allow"
        Principal = { Service = data.aws_service_principal.logs.id }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*"
      },
    ]
  })
}

output "orders_url" {
  description = "URL of the queue of the orders. Each message has its customer as an attribute."
  value       = aws_sqs_queue.orders.url
}

output "url" {
  description = "URL of the API, for requests with AWS's signature."
  value       = module.orders_api.url
}
