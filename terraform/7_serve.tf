# In:         callers' requests; the authorizer identifies the caller.
# Out:        uploads, to the originals bucket; records from the table, derivatives from the processed bucket.
# On failure: the caller gets a JSON error without internal details; the access log has the service's own status.

locals {
  # Allowed parts of a key or a query. The templates send nothing else to the services. API Gateway uses Java's regular
  # expressions, in which a repeated group overflows the stack, so no pattern has one.
  api_patterns = {
    id      = "[A-Za-z0-9_-]{8,64}={0,2}"            # API Gateway's extended request ids, and UUIDs (decision 15)
    owner   = "[A-Za-z0-9][A-Za-z0-9=,.@_:-]{0,127}" # no +, which S3 reads as a space
    variant = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}[.](avif|jpg|png|webp)"
    version = "[A-Za-z0-9._-]{3,200}" # excludes . and ..

    # Tokens of the next page of a list. They contain a position, never an owner.
    image_token   = "(?!.*%(?![0-9A-F]{2}))[0-9TZ:.-]{20,40}_[A-Za-z0-9.*_+/~%-]{1,3072}"
    version_token = "[0-9A-F]{32}_[A-Za-z0-9._-]{3,200}"
  }

  # Keys that POST /images must not write: `owner` as far as wildcards can express it, because that route has no
  # request template. The template of its response handles owners outside ASCII.
  api_foreign_keys = concat(
    ["*/*/*", "${join("", [for _ in range(129) : "?"])}*/*"],
    [for character in ["=", ",", ".", "@", "_", ":", "-"] : "${character}*"],
    [for character in [" ", "!", "\"", "#", "%", "&", "'", "(", ")", "+", ";", "<", ">", "[", "\\", "]", "^", "`", "{", "|", "}", "~"] : "*${character}*/*"],
    [for character in ["*", "?", "$"] : "*&{${character}}*/*"],
  )

  api_values = {
    owner     = "context.${try(module.api[0].principal, "none")}"
    patterns  = local.api_patterns
    body      = file("${path.module}/api/body.vtl")
    image     = file("${path.module}/api/image.vtl")
    limit     = file("${path.module}/api/limit.vtl")
    table     = module.images.name
    originals = module.originals.name
    processed = module.processed.name

    # Bodies of the errors that a template chooses.
    empty       = local.api_error.empty_body.template
    forbidden   = local.api_error.forbidden.template
    internal    = local.api_error.internal_error.template
    refusal     = local.api_error.invalid_body.template
    unavailable = local.api_error.unavailable.template
  }

  api_template = {
    for name in [
      "delete_image.request", "delete_image.response", "get_image.request", "get_image.response", "get_variant.request",
      "list.request", "list.response", "post_image.refused", "post_image.response", "post_upload.request",
      "post_upload.response", "versions.request", "versions.response",
    ] : name => templatefile("${path.module}/api/${name}.vtl", local.api_values)
  }

  # API Gateway treats every body as bytes. As text it would damage an image (decision 14).
  api_binary_types = ["*/*", "application/octet-stream", "binary/octet-stream", "image/*"]

  api_error = {
    for code, error in {
      conflict        = { status = 409, message = "An image with this id already exists: try again." }
      empty_body      = { status = 400, message = "The body is empty: send the image's bytes." }
      forbidden       = { status = 403, message = "The caller's name cannot be an owner: use at most 128 letters, digits and =,.@_:-, and begin with a letter or digit." }
      internal_error  = { status = 500, message = "An internal error occurred: try again later." }
      invalid_body    = { status = 400, message = "The body is not valid for this route: see the API's documentation." }
      invalid_request = { status = 400, message = "A parameter is not valid for this route: see the API's documentation." }
      not_found       = { status = 404, message = "The image does not exist." }
      unavailable     = { status = 503, message = "A service is busy: try again after a second." }
      } : code => {
      status   = error.status
      headers  = { for seconds in ["1"] : "Retry-After" => "'${seconds}'" if code == "unavailable" }
      template = jsonencode({ error = { code = code, message = error.message } })
    }
  }

  # For a caller who cannot own images, S3 gets an invalid request. Its answer may be any 4xx.
  api_bucket_error = {
    for code in ["invalid_request", "not_found"] : code => {
      status   = local.api_error[code].status
      template = templatefile("${path.module}/api/error.response.vtl", merge(local.api_values, { error = local.api_error[code].template }))
    }
  }

  # DynamoDB answers 400 for every error, throttling included. Only a validation error is the caller's.
  api_table_error = {
    for code in ["invalid_request", "not_found"] : code => {
      status   = local.api_error[code].status
      template = templatefile("${path.module}/api/table_error.response.vtl", merge(local.api_values, { refusal = local.api_error[code].template }))
    }
  }

  # No bucket has this name: a request that a template does not complete fails.
  api_no_bucket = { for name in ["bucket", "owner", "id"] : "path.${name}" => "'-'" }

  api_routes = {
    "POST /images" = {
      request = { headers = { Content-Type = true, X-Image-Name = false } }
      integration = {
        service = "s3:path/{bucket}/{owner}/{id}"
        method  = "PUT"
        parameters = {
          "path.bucket"                     = "'${module.originals.name}'"
          "path.owner"                      = local.api_values.owner
          "path.id"                         = "context.extendedRequestId" # no caller can choose it
          "header.Content-Type"             = "method.request.header.Content-Type"
          "header.x-amz-meta-original-name" = "method.request.header.X-Image-Name"
          "header.x-amz-meta-owner"         = local.api_values.owner
          "header.If-None-Match"            = "'*'" # nothing is ever overwritten
        }
        responses = {
          "200"     = { status = 202, template = local.api_template["post_image.response"] }
          "400"     = local.api_bucket_error.invalid_request
          "403"     = { status = 403, template = local.api_template["post_image.refused"] }
          "409|412" = local.api_error.conflict
          "503"     = local.api_error.unavailable
          default   = local.api_error.internal_error
        }
      }
    }

    "GET /images" = {
      request = { querystrings = { limit = false, next = false } }
      integration = {
        service   = "dynamodb:action/Query"
        templates = { "application/json" = local.api_template["list.request"] }
        responses = {
          "200"   = { status = 200, template = local.api_template["list.response"] }
          "400"   = local.api_table_error.invalid_request
          "503"   = local.api_error.unavailable
          default = local.api_error.internal_error
        }
      }
    }

    "GET /images/{id}" = {
      integration = {
        service   = "dynamodb:action/GetItem"
        templates = { "application/json" = local.api_template["get_image.request"] }
        responses = {
          "200"   = { status = 200, template = local.api_template["get_image.response"] }
          "400"   = local.api_table_error.not_found
          "503"   = local.api_error.unavailable
          default = local.api_error.internal_error
        }
      }
    }

    "DELETE /images/{id}" = {
      integration = {
        service    = "s3:path/{bucket}/{owner}/{id}"
        method     = "DELETE"
        parameters = merge(local.api_no_bucket, { "header.If-Match" = "'*'" }) # otherwise S3 creates a delete marker for an image that never existed
        templates  = { "application/json" = local.api_template["delete_image.request"] }
        responses = {
          "204"                  = { status = 202, template = local.api_template["delete_image.response"] }
          "4(0[0-8]|[1-9][0-9])" = local.api_bucket_error.not_found
          "409|503"              = local.api_error.unavailable # 409: a concurrent operation on the image
          default                = local.api_error.internal_error
        }
      }
    }

    "GET /images/{id}/versions" = {
      request = { querystrings = { limit = false, next = false } }
      integration = {
        service   = "dynamodb:action/Query"
        templates = { "application/json" = local.api_template["versions.request"] }
        responses = {
          "200"   = { status = 200, template = local.api_template["versions.response"] }
          "400"   = local.api_table_error.invalid_request
          "503"   = local.api_error.unavailable
          default = local.api_error.internal_error
        }
      }
    }

    "GET /images/{id}/{version}/{variant}" = {
      integration = {
        service    = "s3:path/{bucket}/{owner}/{id}/{version}/{variant}"
        method     = "GET"
        parameters = merge(local.api_no_bucket, { "path.version" = "'-'", "path.variant" = "'-'" })
        templates  = { "application/json" = local.api_template["get_variant.request"] }
        responses = {
          "200" = {
            status = 200
            headers = {
              Cache-Control = "'private, max-age=31536000, immutable'" # a version's bytes never change; only the owner may read them
              Content-Type  = "integration.response.header.Content-Type"
              ETag          = "integration.response.header.ETag"
            }
          }
          # The role may not list the bucket, so S3 answers 403 for a missing key.
          "4\\d{2}" = local.api_bucket_error.not_found
          "503"     = local.api_error.unavailable
          default   = local.api_error.internal_error
        }
      }
    }

    "POST /uploads" = {
      integration = {
        service   = "lambda:path/2015-03-31/functions/${try(module.presign_upload[0].invoke_arn, "none")}/invocations"
        templates = { "application/json" = local.api_template["post_upload.request"] }
        # For a function, API Gateway matches the error's message, not a status.
        responses = {
          default     = { status = 201, template = local.api_template["post_upload.response"] }
          "[\\s\\S]+" = local.api_error.internal_error
        }
      }
    }
  }
}

module "api" {
  source = "./modules/service_api"
  count  = var.api == null ? 0 : 1

  name               = "${var.name}-api"
  description        = "Images of ${var.name}: upload, follow, list, fetch, delete"
  key_arn            = module.key.arn
  authorization      = var.api.authorization
  api_keys           = var.api.api_keys
  binary_media_types = local.api_binary_types
  cors               = length(var.api.cors_origins) == 0 ? null : { origins = var.api.cors_origins }
  logging            = var.api.logs ? { retention_days = var.logs.retention_days } : null
  throttling         = var.api.throttling
  tracing            = var.tracing
  web_acl            = var.api.web_acl

  permissions_boundary_arn = var.permissions_boundary_arn

  routes = merge(local.api_routes, local.try_page_routes)

  permissions = merge(
    { routes = data.aws_iam_policy_document.api.json },
    { for policy in data.aws_iam_policy_document.try_page : "try_page" => policy.json },
  )
}

data "aws_iam_policy_document" "api" {
  # Keys are <owner>/<id>.
  statement {
    sid       = "KeepOriginals"
    actions   = ["s3:DeleteObject", "s3:PutObject"]
    resources = ["${module.originals.arn}/?*/????????*"]
  }

  statement {
    sid       = "RefuseOwners"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = [for key in local.api_foreign_keys : "${module.originals.arn}/${key}"]
  }

  # A signed request contains the hash of its body.
  statement {
    sid       = "RefuseEmptyBodies"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${module.originals.arn}/*"]

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-content-sha256"
      values   = [sha256("")]
    }
  }

  statement {
    sid       = "ServeDerivatives"
    actions   = ["s3:GetObject"]
    resources = ["${module.processed.arn}/?*/????????*/?*/?*"]
  }

  statement {
    sid       = "ReadRecord"
    actions   = ["dynamodb:GetItem"]
    resources = [module.images.arn]
  }

  statement {
    sid       = "ListRecords"
    actions   = ["dynamodb:Query"]
    resources = values(module.images.index_arns)
  }

  statement {
    sid       = "PresignUploads"
    actions   = ["lambda:InvokeFunction"]
    resources = module.presign_upload[*].invoke_arn
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.key.arn]
  }
}

# A function, because a signature must be computed.
module "presign_upload" {
  source = "./modules/function"
  count  = var.api == null ? 0 : 1

  name         = "${var.name}-presign-upload"
  handler      = "presign_upload.entry.handler"
  runtime      = var.runtime
  architecture = var.architecture
  memory       = 256
  timeout      = 10
  key_arn      = module.key.arn
  tracing      = var.tracing
  logging      = local.function_logging

  permissions_boundary_arn = var.permissions_boundary_arn

  artifact = {
    path          = "${path.module}/${dirname(var.artifacts)}/presign_upload-${var.architecture}-${var.runtime}.zip"
    sha256        = try(local.artifacts["presign_upload-${var.architecture}-${var.runtime}"].sha256, null)
    build_command = "make package"
  }

  environment = {
    EXPIRY_SECONDS   = var.api.upload_expiry
    LOG_LEVEL        = var.logs.level
    MAX_BYTES        = var.limits.max_bytes
    ORIGINALS_BUCKET = module.originals.name
  }

  permissions = {
    uploads = data.aws_iam_policy_document.presign_upload.json
  }
}

# An upload with the signature has the function's permissions.
data "aws_iam_policy_document" "presign_upload" {
  statement {
    sid       = "Upload"
    actions   = ["s3:PutObject"]
    resources = ["${module.originals.arn}/?*/????????-????-????-????-????????????"]
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:GenerateDataKey"]
    resources = [module.key.arn]
  }
}
