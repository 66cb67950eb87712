# In:         requests of a browser.
# Out:        the try page, which uploads, follows, shows and deletes images through the API. The API serves it from a
#             private bucket.
# On failure: the page shows the error. The API handles its requests like those of any other caller.

locals {
  page = try(var.api.page, false)

  # Credentials that the page can send. It cannot sign requests.
  page_credentials = try(concat(
    contains(["COGNITO_USER_POOLS", "LAMBDA"], var.api.authorization.type) ? ["token"] : [],
    length(var.api.api_keys) > 0 ? ["key"] : [],
  ), [])

  # The API serves the page, so both have the same origin. Only large uploads go to another one.
  page_origins    = [for api in module.api : regex("^https?://[^/]+", api.url) if local.page]
  page_upload_url = "https://${local.originals_name}.s3.${var.region}.${data.aws_partition.current.dns_suffix}"

  page_files = {
    for name, file in {
      "index.html" = {
        type    = "text/html; charset=utf-8"
        content = file("${path.module}/page/index.html")
      }
      "config.json" = {
        type = "application/json"
        content = jsonencode({
          api         = "."
          credentials = local.page_credentials
          max_bytes   = var.limits.max_bytes
          origins     = [local.page_upload_url]
        })
      }
    } : name => file if local.page
  }

  # The file as text. API Gateway passes the body in base64, which contains neither < nor {. As bytes, the browser would
  # get base64 from engines that ignore the response's contentHandling, such as LocalStack.
  page_template = "#set($text = \"$!input.body\")#if(!$text.startsWith(\"<\") && !$text.startsWith(\"{\"))#set($text = $util.base64Decode($text))#end$text"

  page_routes = {
    for name, file in local.page_files : "GET /${name}" => {
      authenticated = false # the page's requests to the API are authenticated
      integration = {
        service = "s3:path/${module.page[0].name}/${name}"
        method  = "GET"
        responses = {
          "200" = {
            status   = 200
            template = local.page_template
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

module "page" {
  source = "./modules/bucket"
  count  = local.page ? 1 : 0

  name          = "${var.name}-page-${local.bucket_suffix}"
  key_arn       = module.key.arn
  versioned     = false # Terraform has its files
  eventbridge   = true  # for rules outside the pipeline
  access_log    = var.access_log
  force_destroy = var.force_destroy
  retention     = {}
}

resource "aws_s3_object" "page" {
  for_each = local.page_files

  bucket       = module.page[0].name
  key          = each.key
  content      = each.value.content
  content_type = each.value.type
}

data "aws_iam_policy_document" "page" {
  count = local.page ? 1 : 0

  statement {
    sid       = "ServePage"
    actions   = ["s3:GetObject"]
    resources = [for name in keys(local.page_files) : "${module.page[0].arn}/${name}"]
  }
}
