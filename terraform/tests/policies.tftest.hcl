# Permissions of the root's roles, as the real provider renders them. Offline: a plan of new resources calls only STS,
# which is overridden. The functions' artifacts must exist: make package.

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

override_data {
  target = module.bus.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.api[0].data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.key.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.notifications.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.observability[0].data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.presign_upload[0].data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.process_image.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.record_image.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.record_image_dlq.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.uploads.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.uploads_rules.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

# Policies contain values that AWS assigns at apply.
override_resource {
  target          = module.key.aws_kms_key.this
  values          = { key_id = "darkroom" }
  override_during = plan
}

override_resource {
  target          = module.images.aws_dynamodb_table.this
  values          = { arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/darkroom-images" }
  override_during = plan
}

override_resource {
  target          = module.presign_upload[0].aws_lambda_function.this
  values          = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:darkroom-presign-upload" }
  override_during = plan
}

variables {
  name   = "darkroom"
  region = "eu-central-1"
  api    = null
}

run "roles_have_least_privilege" {
  command = plan

  assert {
    condition = jsondecode(data.aws_iam_policy_document.process_image.json).Statement == [
      {
        Sid      = "ReadOriginals"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersion", "s3:GetObject"]
        Resource = "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/*"
      },
      {
        Sid      = "DistinguishMissingFromForbidden"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = ["arn:aws:s3:::darkroom-processed-123456789012-eu-central-1", "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1"]
      },
      {
        Sid      = "ReadDerivativesAndWatermarks"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "arn:aws:s3:::darkroom-processed-123456789012-eu-central-1/*"
      },
      {
        Sid      = "KeepDerivatives"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:DeleteObject"]
        Resource = "arn:aws:s3:::darkroom-processed-123456789012-eu-central-1/?*/?*/?*"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = "arn:aws:kms:eu-central-1:123456789012:key/darkroom"
      },
      {
        Sid       = "Announce"
        Effect    = "Allow"
        Action    = "events:PutEvents"
        Resource  = "arn:aws:events:eu-central-1:123456789012:event-bus/darkroom"
        Condition = { StringEqualsIfExists = { "events:source" = "darkroom" } }
      },
    ]
    error_message = "process_image may only read originals, store derivatives and publish outcome events: ${data.aws_iam_policy_document.process_image.json}"
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.record_image.json).Statement == [
      {
        Sid      = "Record"
        Effect   = "Allow"
        Action   = ["dynamodb:UpdateItem", "dynamodb:GetItem"]
        Resource = "arn:aws:dynamodb:eu-central-1:123456789012:table/darkroom-images"
      },
      {
        Sid      = "Notify"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = "arn:aws:sns:eu-central-1:123456789012:darkroom-notifications"
      },
      {
        Sid      = "KeepFailedEvents"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:aws:sqs:eu-central-1:123456789012:darkroom-record-image-dlq"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = "arn:aws:kms:eu-central-1:123456789012:key/darkroom"
      },
    ]
    error_message = "record_image may only record, notify and keep failed events: ${data.aws_iam_policy_document.record_image.json}"
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.reconcile.json).Statement == [
      {
        Sid      = "ListOriginals"
        Effect   = "Allow"
        Action   = "s3:ListBucketVersions"
        Resource = "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1"
      },
      {
        Sid      = "ListDerivatives"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "arn:aws:s3:::darkroom-processed-123456789012-eu-central-1"
      },
      {
        Sid      = "ReadRecords"
        Effect   = "Allow"
        Action   = ["dynamodb:Scan", "dynamodb:Query"]
        Resource = "arn:aws:dynamodb:eu-central-1:123456789012:table/darkroom-images"
      },
      {
        Sid      = "KeepProgress"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:GetObject"]
        Resource = "arn:aws:s3:::darkroom-processed-123456789012-eu-central-1/reconcile/progress.json"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = "arn:aws:kms:eu-central-1:123456789012:key/darkroom"
      },
    ]
    error_message = "A comparison may only list, read records and store its progress: ${data.aws_iam_policy_document.reconcile.json}"
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.reconcile_repair.json).Statement == [
      {
        Sid      = "SendLostEvents"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:aws:sqs:eu-central-1:123456789012:darkroom-uploads"
      },
      {
        Sid      = "DeleteOrphans"
        Effect   = "Allow"
        Action   = "s3:DeleteObject"
        Resource = "arn:aws:s3:::darkroom-processed-123456789012-eu-central-1/?*/?*/?*"
      },
    ]
    error_message = "A repair may only send events and delete derivatives: ${data.aws_iam_policy_document.reconcile_repair.json}"
  }
}

run "api_has_least_privilege" {
  command = plan

  variables {
    api = { try_page = true, authorization = { type = "API_KEY" }, api_keys = ["me"] }
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.api.json).Statement == [
      {
        Sid      = "KeepOriginals"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:DeleteObject"]
        Resource = "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/?*/????????*"
      },
      {
        Sid      = "RefuseOwners"
        Effect   = "Deny"
        Action   = "s3:PutObject"
        Resource = jsondecode(data.aws_iam_policy_document.api.json).Statement[1].Resource # below
      },
      {
        Sid       = "RefuseEmptyBodies"
        Effect    = "Deny"
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/*"
        Condition = { StringEquals = { "s3:x-amz-content-sha256" = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" } }
      },
      {
        Sid      = "ServeDerivatives"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "arn:aws:s3:::darkroom-processed-123456789012-eu-central-1/?*/????????*/?*/?*"
      },
      {
        Sid      = "ReadRecord"
        Effect   = "Allow"
        Action   = "dynamodb:GetItem"
        Resource = "arn:aws:dynamodb:eu-central-1:123456789012:table/darkroom-images"
      },
      {
        Sid    = "ListRecords"
        Effect = "Allow"
        Action = "dynamodb:Query"
        Resource = [
          "arn:aws:dynamodb:eu-central-1:123456789012:table/darkroom-images/index/by_sequencer",
          "arn:aws:dynamodb:eu-central-1:123456789012:table/darkroom-images/index/by_owner",
        ]
      },
      {
        Sid      = "PresignUploads"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = "arn:aws:lambda:eu-central-1:123456789012:function:darkroom-presign-upload"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = "arn:aws:kms:eu-central-1:123456789012:key/darkroom"
      },
    ]
    error_message = "The API may only store and delete originals, serve derivatives, read records and request signatures: ${data.aws_iam_policy_document.api.json}"
  }

  assert {
    condition = toset(jsondecode(data.aws_iam_policy_document.api.json).Statement[1].Resource) == toset(concat(
      [for key in ["*/*/*", "${join("", [for _ in range(129) : "?"])}*/*"] : "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/${key}"],
      [for first in split("", "=,.@_:-") : "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/${first}*"],
      [for other in split("", " !\"#%&'()+;<>[\\]^`{|}~") : "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/*${other}*/*"],
      [for wildcard in split("", "*?$") : "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/*$${${wildcard}}*/*"],
    ))
    error_message = "The API must not write keys of owners that the templates refuse: ${data.aws_iam_policy_document.api.json}"
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.presign_upload.json).Statement == [
      {
        Sid      = "Upload"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "arn:aws:s3:::darkroom-originals-123456789012-eu-central-1/?*/????????-????-????-????-????????????"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = "kms:GenerateDataKey"
        Resource = "arn:aws:kms:eu-central-1:123456789012:key/darkroom"
      },
    ]
    error_message = "presign_upload may only put objects under the keys of its forms: ${data.aws_iam_policy_document.presign_upload.json}"
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.try_page[0].json).Statement == [
      {
        Sid    = "ServeTryPage"
        Effect = "Allow"
        Action = "s3:GetObject"
        Resource = [
          "arn:aws:s3:::darkroom-try-page-123456789012-eu-central-1/index.html",
          "arn:aws:s3:::darkroom-try-page-123456789012-eu-central-1/config.json",
        ]
      },
    ]
    error_message = "For the page, the API may only read its files: ${data.aws_iam_policy_document.try_page[0].json}"
  }
}
