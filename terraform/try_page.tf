# In:         requests of a browser.
# Out:        the try page, served by the API from a private bucket. It uploads, shows and deletes images through the API.
# On failure: the page shows the error. The API handles its requests like those of any other caller.

locals {
  try_page = try(var.api.try_page, false)

  # Credentials that the page can send. It cannot sign requests.
  try_page_credentials = try(concat(
    contains(["COGNITO_USER_POOLS", "LAMBDA"], var.api.authorization.type) ? ["token"] : [],
    length(var.api.api_keys) > 0 ? ["key"] : [],
  ), [])

  # The API serves the page, so both have the same origin. Only large uploads go to another one.
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

  # The file as text. API Gateway passes the body in base64, which contains neither < nor {. As bytes, the browser would
  # get base64 from engines that ignore the response's contentHandling, such as LocalStack.
  try_page_template = "#set($text = \"$!input.body\")#if(!$text.startsWith(\"<\") && !$text.startsWith(\"{\"))#set($text = $util.base64Decode($text))#end$text"

  try_page_routes = {
    for name, file in local.try_page_files : "GET /${name}" => {
      authenticated = false # the page's requests to the API are authenticated
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
              X-Frame-Options = "'DENY'" # a <meta> policy cannot set this
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
  versioned     = false # Terraform has its files
  eventbridge   = true  # for rules outside the pipeline
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
