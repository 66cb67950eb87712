# In:         one who wants to try the API, with a browser.
# Out:        a page that uploads, follows, shows and deletes images through the API; from a private bucket, by the API.
# On failure: the page says so in words; what it asks for is handled like any other caller's request.

locals {
  try_page = try(var.api.try_page, false)

  # A signature is more than a page should make: of the other authorizations, what a caller shows.
  try_page_credentials = try(concat(
    contains(["COGNITO_USER_POOLS", "LAMBDA"], var.api.authorization.type) ? ["token"] : [],
    length(var.api.api_keys) > 0 ? ["key"] : [],
  ), [])

  # The API serves the page, so the page and what it calls are of one origin. Only a large upload goes elsewhere.
  try_page_origins    = [for api in module.api : regex("^https?://[^/]+", api.url) if local.try_page]
  try_page_upload_url = "https://${local.originals_name}.s3.${var.region}.${data.aws_partition.current.dns_suffix}"

  try_page_files = {
    for name, file in {
      "index.html" = {
        type    = "text/html; charset=utf-8"
        content = file("${path.module}/try_page/index.html")
      }
      "config.json" = {
        type = "application/json"
        content = jsonencode({
          api         = "."
          credentials = local.try_page_credentials
          max_bytes   = var.limits.max_bytes
          origins     = [local.try_page_upload_url]
        })
      }
    } : name => file if local.try_page
  }

  # The file as text: API Gateway hands it over in base64, which has neither < nor {. Passed on as bytes it would come in
  # base64 to a browser where the response's contentHandling is not kept, as on LocalStack.
  try_page_template = "#set($text = \"$!input.body\")#if(!$text.startsWith(\"<\") && !$text.startsWith(\"{\"))#set($text = $util.base64Decode($text))#end$text"

  try_page_routes = {
    for name, file in local.try_page_files : "GET /${name}" => {
      authenticated = false # whoever loads it still has to say who they are
      integration = {
        service = "s3:path/${module.try_page[0].name}/${name}"
        method  = "GET"
        responses = {
          "200" = {
            status   = 200
            template = local.try_page_template
            headers = {
              Cache-Control   = "'no-cache'"
              Content-Type    = "'${file.type}'"
              Referrer-Policy = "'no-referrer'"
              X-Frame-Options = "'DENY'" # the page's own policy cannot say this
            }
          }
          default = local.api_error.internal_error
        }
      }
    }
  }
}

module "try_page" {
  source = "./modules/bucket"
  count  = local.try_page ? 1 : 0

  name          = "${var.name}-try-page-${local.bucket_suffix}"
  key_arn       = module.key.arn
  versioned     = false # its files are Terraform's
  eventbridge   = true  # for the rules of others
  access_log    = var.access_log
  force_destroy = var.force_destroy
  retention     = {}
}

resource "aws_s3_object" "try_page" {
  for_each = local.try_page_files

  bucket       = module.try_page[0].name
  key          = each.key
  content      = each.value.content
  content_type = each.value.type
}

data "aws_iam_policy_document" "try_page" {
  count = local.try_page ? 1 : 0

  statement {
    sid       = "ServeTryPage"
    actions   = ["s3:GetObject"]
    resources = [for name in keys(local.try_page_files) : "${module.try_page[0].arn}/${name}"]
  }
}
