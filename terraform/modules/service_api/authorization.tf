# Authorization of callers, and the variable with the caller's name.
locals {
  # Variable below $context that contains the caller's name.
  principal = {
    API_KEY            = "identity.apiKeyId"
    AWS_IAM            = "identity.user"
    COGNITO_IDENTITY   = "identity.cognitoIdentityId"
    COGNITO_USER_POOLS = "authorizer.claims.sub"
    LAMBDA             = "authorizer.principalId"
  }[var.authorization.type]

  # Security schemes. IAM is AWS's signature, for credentials of a role or of an identity pool.
  schemes = {
    API_KEY = {}

    AWS_IAM          = { iam = local.signature }
    COGNITO_IDENTITY = { iam = local.signature }

    COGNITO_USER_POOLS = {
      cognito = {
        type                         = "apiKey"
        name                         = "Authorization"
        in                           = "header"
        x-amazon-apigateway-authtype = "cognito_user_pools"
        x-amazon-apigateway-authorizer = {
          type         = "cognito_user_pools"
          providerARNs = var.authorization.user_pool_arns
        }
      }
    }

    LAMBDA = {
      function = {
        type                         = "apiKey"
        name                         = "Authorization"
        in                           = "header"
        x-amazon-apigateway-authtype = "custom"
        x-amazon-apigateway-authorizer = {
          type                         = "request"
          authorizerUri                = "arn:${local.partition}:apigateway:${local.region}:lambda:path/2015-03-31/functions/${coalesce(var.authorization.function_arn, "none")}/invocations"
          authorizerCredentials        = aws_iam_role.this.arn
          authorizerResultTtlInSeconds = var.authorization.cache_seconds
          identitySource               = "method.request.header.Authorization"
        }
      }
    }
  }

  signature = {
    type                         = "apiKey"
    name                         = "Authorization"
    in                           = "header"
    x-amazon-apigateway-authtype = "awsSigv4"
  }

  key_scheme = { type = "apiKey", name = "x-api-key", in = "header" }

  security_schemes = merge(
    local.schemes[var.authorization.type],
    { for needed in [length(var.api_keys) > 0] : "api_key" => local.key_scheme if needed },
  )

  security = [
    for name in keys(local.security_schemes) : { (name) = name == "cognito" ? var.authorization.scopes : [] }
  ]
}

data "aws_iam_policy_document" "authorizer" {
  count = var.authorization.type == "LAMBDA" ? 1 : 0

  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [var.authorization.function_arn]
  }
}

resource "aws_iam_role_policy" "authorizer" {
  count = var.authorization.type == "LAMBDA" ? 1 : 0

  name   = "authorizer"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.authorizer[0].json
}
