variable "name" {
  description = "Name of this pipeline. Every resource's name begins with it, so one account can hold several pipelines."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name \"${var.name}\": use 2 to 24 lower-case letters, digits and hyphens, and begin with a letter (bucket names contain it)."
  }

  # A bucket's name also contains the account's id: name-originals-123456789012-region.
  validation {
    condition     = length("${var.name}-originals-123456789012-${var.region}") <= 63
    error_message = "name \"${var.name}\" and region ${var.region} result in bucket names of ${length("${var.name}-originals-123456789012-${var.region}")} characters, but S3 allows 63: use a name of at most ${39 - length(var.region)} characters."
  }

  # Prefixes of bucket names that S3 reserves.
  validation {
    condition     = !can(regex("^(amzn-s3-demo-|sthree-|xn--)", var.name))
    error_message = "name \"${var.name}\" begins with amzn-s3-demo-, sthree- or xn--, which S3 reserves: choose another name for the buckets."
  }
}

variable "region" {
  description = "AWS region, such as eu-central-1."
  type        = string
  nullable    = false
}

variable "access_log" {
  description = "Bucket and key prefix for S3's log of every request to the pipeline's buckets. The bucket must be in the same region, and its policy must allow `logging.s3.amazonaws.com`. Null: no log. Such a log costs more than the requests."
  type        = object({ bucket = string, prefix = optional(string, "s3/") })
  default     = null
}

variable "api" {
  description = <<-EOT
    The API to buckets and table. Null: no API. authorization: how callers authenticate (modules/service_api); by
    default with an AWS_IAM signature. api_keys: names of the API keys to create. cors_origins: web origins that may
    call the API from a browser, such as https://example.com. logs: log each request and each error. API Gateway needs
    a role for this, one for all APIs of the account and region. Without it the apply fails:
    examples/api_account_logging creates it. try_page: serve the try page. throttling: limits for all callers together, in
    requests a second (rate) and requests at once (burst). upload_expiry: seconds until a presigned upload expires.
    web_acl: ARN of a WAF web ACL for the API.
  EOT
  type = object({
    api_keys = optional(set(string), [])
    authorization = optional(object({
      type           = optional(string, "AWS_IAM")
      cache_seconds  = optional(number, 300)
      function_arn   = optional(string)
      scopes         = optional(list(string), [])
      user_pool_arns = optional(list(string), [])
    }), {})
    cors_origins  = optional(set(string), [])
    logs          = optional(bool, false)
    try_page      = optional(bool, false)
    throttling    = optional(object({ burst = optional(number, 100), rate = optional(number, 50) }), {})
    upload_expiry = optional(number, 300)
    web_acl       = optional(object({ arn = string }))
  })
  default = {}

  validation {
    condition     = var.api == null || try(var.api.upload_expiry >= 1 && var.api.upload_expiry <= 3600, false)
    error_message = "api.upload_expiry is ${try(var.api.upload_expiry, "null")} s: use 1 to 3600."
  }

  validation {
    condition     = try(!var.api.try_page || contains(["API_KEY", "COGNITO_USER_POOLS", "LAMBDA"], var.api.authorization.type), true)
    error_message = "api.try_page: the try page sends a key or a token, but authorization.type ${try(var.api.authorization.type, "null")} requires a signature: use API_KEY, COGNITO_USER_POOLS or LAMBDA."
  }
}

variable "architecture" {
  description = "Processor of the functions: arm64 (about 20 % cheaper) or x86_64. Build the artifact for it first."
  type        = string
  default     = "arm64"
  nullable    = false
}

variable "archive_days" {
  description = "Days for which events are archived and can be replayed."
  type        = number
  default     = 30
  nullable    = false
}

variable "artifacts" {
  description = "Path of the manifest that `make package` writes, relative to this folder."
  type        = string
  default     = "../build/manifest.json"
  nullable    = false
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete buckets that contain images. If false, it stops at a bucket that is not empty, and no image is lost."
  type        = bool
  default     = false
  nullable    = false
}

variable "limits" {
  description = <<-EOT
    Limits of an original. An image above one of them is rejected (docs/images.md). max_bytes: size of the file.
    max_frames: frames of an animation. max_metadata_bytes: size of colour profile, EXIF data and texts, unpacked.
    max_pixels: width × height. max_scan_megapixels: million pixels × scans of a progressive JPEG. max_memory: MB that
    processing one image may take, in addition to the function's own 256. max_seconds: time that it may take.
  EOT
  type = object({
    max_bytes           = optional(number, 25 * 1024 * 1024)
    max_frames          = optional(number, 2000)
    max_memory          = optional(number, 512)
    max_metadata_bytes  = optional(number, 4 * 1000 * 1000)
    max_pixels          = optional(number, 24 * 1000 * 1000)
    max_scan_megapixels = optional(number, 2000)
    max_seconds         = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for limit in values(var.limits) : limit >= 1 && floor(limit) == limit])
    error_message = "limits: ${join(", ", [for name, limit in var.limits : "${name} is ${limit}" if limit < 1 || floor(limit) != limit])}: use whole numbers of at least 1."
  }

  validation {
    condition     = var.limits.max_pixels <= 178956970
    error_message = "limits: max_pixels is ${var.limits.max_pixels}: use at most 178956970, the limit of the decoders."
  }

  validation {
    condition     = var.limits.max_metadata_bytes <= 16 * 1024 * 1024
    error_message = "limits: max_metadata_bytes is ${var.limits.max_metadata_bytes}: use at most ${16 * 1024 * 1024}."
  }
}

variable "logs" {
  description = "Logs of functions and workflow: lowest level of the functions' own lines (DEBUG, INFO, WARN, ERROR or FATAL), and days until a line is deleted. Metrics, uncaught errors and Lambda's own lines are written at every level. With WARN or higher, the saved queries find no image that was processed or rejected."
  type = object({
    level          = optional(string, "INFO")
    retention_days = optional(number, 365)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.logs.level)
    error_message = "logs.level is \"${var.logs.level}\": use DEBUG, INFO, WARN, ERROR or FATAL."
  }
}

variable "notifications" {
  description = "Subscriptions to the notifications topic, by a name of your choice: protocol (email, sqs, https, …), endpoint, and optionally a filter on the message attributes status, image_id, dedup_id."
  type = map(object({
    protocol      = string
    endpoint      = string
    filter_policy = optional(map(list(string)))
    raw           = optional(bool, false)
  }))
  default  = {}
  nullable = false
}

variable "observe" {
  description = <<-EOT
    Dashboard, alarms and saved queries. Null: none of them. alarm_topic_arns: SNS topics that get the alarms; the
    output alarm_publishers lists the services that their policies must allow. budget: US dollars a month, and the
    percentages of it that raise an alarm when they are spent or forecast (modules/observability); null: no budget.
    expected_every: hours within which at least one image is expected; null: no such alarm. findings: send what Security
    Hub and AWS Config find in these resources to the topics. max_wait: seconds that an upload may wait.
    rejected_share: share of rejected images, of at least 20 within an hour, that raises an alarm. save_queries: false
    if CloudWatch cannot store queries, as on some emulators. schemas: publish the events' contracts in an EventBridge
    schema registry.
  EOT
  type = object({
    alarm_topic_arns = optional(list(string), [])
    budget = optional(object({
      usd      = number
      spent    = optional(list(number), [80, 100])
      forecast = optional(list(number), [100])
    }))
    expected_every = optional(number)
    findings       = optional(bool, false)
    max_wait       = optional(number, 900)
    rejected_share = optional(number, 0.2)
    save_queries   = optional(bool, true)
    schemas        = optional(bool, false)
  })
  default = {}

  validation {
    condition     = try(!var.observe.findings || contains(range(1, 6), length(var.observe.alarm_topic_arns)), true)
    error_message = "observe.findings needs one to five topics, but alarm_topic_arns has ${try(length(var.observe.alarm_topic_arns), 0)}: name one to five topics."
  }
}

variable "originals" {
  description = "Bucket of the originals. noncurrent_days: days until an overwritten or deleted version is removed permanently; null: never. cors_origins: web origins that may upload from a browser."
  type = object({
    noncurrent_days = optional(number)
    cors_origins    = optional(list(string), [])
  })
  default  = {}
  nullable = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of all roles created here (examples/github_deploy_role creates one). Null: no boundary."
  type        = string
  default     = null
}

variable "process_image" {
  description = "Size of the function process_image. memory: MB; the processor share grows with it. timeout: seconds. max_concurrency: invocations at once. batch_size: messages of one invocation."
  type = object({
    memory          = optional(number, 1024)
    timeout         = optional(number, 90)
    max_concurrency = optional(number, 10)
    batch_size      = optional(number, 5)
  })
  default  = {}
  nullable = false

  # In addition to rendering, 25 s: the time until handler.py gives up a request that S3 or the bus do not answer.
  validation {
    condition     = var.process_image.timeout >= var.process_image.batch_size * var.limits.max_seconds + 25
    error_message = "process_image: the timeout ${var.process_image.timeout} s is less than batch_size ${var.process_image.batch_size} × limits.max_seconds ${var.limits.max_seconds} + 25 s for an unanswered request: set it to at least ${var.process_image.batch_size * var.limits.max_seconds + 25}, or lower batch_size or max_seconds."
  }

  validation {
    condition     = var.process_image.memory >= var.limits.max_memory + 256
    error_message = "process_image: memory of ${var.process_image.memory} MB is less than limits.max_memory ${var.limits.max_memory} + 256 MB for the function itself: set it to at least ${var.limits.max_memory + 256}, or lower max_memory."
  }
}

variable "processed" {
  description = "Bucket of the derivatives. events: send an S3 event for each derivative to EventBridge, for rules of your own. These events cost about as much as the outcome events."
  type        = object({ events = optional(bool, false) })
  default     = {}
  nullable    = false
}

variable "reconcile" {
  description = <<-EOT
    A scheduled comparison of originals, derivatives and records. Null: no schedule. schedule: an expression of
    EventBridge Scheduler, in UTC. repair: send lost events to the pipeline and delete orphaned derivatives; false: only
    report the differences. grace_minutes: minimum age of an image; younger ones may still be in progress. memory: MB of
    the function. timeout: seconds; the function stops before it and continues at the next run.
  EOT
  type = object({
    schedule      = optional(string, "rate(1 day)")
    repair        = optional(bool, false)
    grace_minutes = optional(number, 60)
    memory        = optional(number, 1024)
    timeout       = optional(number, 900)
  })
  default = null

  validation {
    condition     = var.reconcile == null || can(regex("^(rate|cron|at)\\(.+\\)$", var.reconcile.schedule))
    error_message = "reconcile.schedule \"${try(var.reconcile.schedule, "")}\": use an expression of EventBridge Scheduler, such as rate(1 day) or cron(0 3 * * ? *)."
  }

  validation {
    condition     = var.reconcile == null || try(var.reconcile.grace_minutes >= 1, false)
    error_message = "reconcile.grace_minutes is ${try(var.reconcile.grace_minutes, "null")}: use at least 1. Otherwise images in progress are reported as lost."
  }

  # A run stops 55 s before the timeout (lambdas/reconcile/handler.py).
  validation {
    condition     = var.reconcile == null || try(var.reconcile.timeout >= 120 && var.reconcile.timeout <= 900, false)
    error_message = "reconcile.timeout is ${try(var.reconcile.timeout, "null")} s: use 120 to 900."
  }
}

variable "runtime" {
  description = "Python runtime of the functions. Build the artifact for it first."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime \"${var.runtime}\": use a Python runtime of AWS Lambda, such as python3.13."
  }
}

variable "s3_use_path_style" {
  description = "Address buckets as http://host/bucket. Needed only if <bucket>.<host> does not resolve, as with an emulator."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource, in addition to Application = name."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")])
    error_message = "tags: use 1 to 128 letters, digits, spaces and _.:/=+@- for a key, up to 256 for a value, and no key that begins with aws:. Not valid: ${join(", ", [for key, value in var.tags : "\"${key}\"" if !(can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:"))])}."
  }

  # IAM treats them as one key, most other services as two.
  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags: ${join(", ", [for key in keys(var.tags) : "\"${key}\"" if length([for other in keys(var.tags) : other if lower(other) == lower(key)]) > 1])} differ only in case: keep one of them."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : key == "Application" || lower(key) != "application"])
    error_message = "tags: \"${join("\", \"", [for key in keys(var.tags) : key if lower(key) == "application"])}\" differs only in case from Application, which every resource has: rename it to Application to set that tag's value, or remove it."
  }
}

variable "tracing" {
  description = "Trace requests with X-Ray through API, functions, workflow and topic (costs: docs/cost.md). False: no tracing. For the topic, X-Ray needs a resource policy once per account and region: docs/deploy.md."
  type        = bool
  default     = true
  nullable    = false
}

variable "variants" {
  description = <<-EOT
    The derivatives of every image. Each needs a name, and a width or a height in pixels. fit: inside (the whole image,
    no larger than the box), cover (fill the box, crop the rest) or contain (the whole image, with the background around
    it). format: jpeg, png, webp or avif. quality: 1 to 100; null: the default of the format. enlarge: also enlarge
    smaller images. watermark: a text, or the path of an image file, at one of nine positions; scale is a share of the
    derivative's width, margin a share of its shorter side, opacity 0 to 1. docs/images.md lists the defaults.
  EOT
  type = list(object({
    name       = string
    width      = optional(number)
    height     = optional(number)
    fit        = optional(string)
    format     = optional(string)
    quality    = optional(number)
    enlarge    = optional(bool)
    background = optional(string)
    watermark = optional(object({
      text     = optional(string)
      image    = optional(string)
      position = optional(string)
      scale    = optional(number)
      opacity  = optional(number)
      margin   = optional(number)
    }))
  }))
  default = [
    { name = "thumbnail", width = 256, height = 256, quality = 80 },
    { name = "web", width = 1024, height = 1024, quality = 82, watermark = { text = "Darkroom" } },
    { name = "web-modern", width = 1024, height = 1024, format = "webp", quality = 80 },
  ]
  nullable = false

  validation {
    condition     = length(var.variants) > 0
    error_message = "variants: the list is empty: add at least one variant."
  }

  validation {
    condition     = alltrue([for v in var.variants : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", v.name))])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if !can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", v.name))])} is not a valid name: use up to 64 letters, digits, - and _."
  }

  validation {
    condition     = length(distinct(var.variants[*].name)) == length(var.variants)
    error_message = "variants: ${join(", ", distinct([for v in var.variants : "\"${v.name}\"" if length([for w in var.variants : w if w.name == v.name]) > 1]))} is used more than once: give every variant its own name."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.format == null ? true : contains(["jpeg", "png", "webp", "avif"], v.format)])
    error_message = "variants: ${join("; ", [for v in var.variants : "\"${v.name}\" has the unknown format \"${v.format}\"" if !try(contains(["jpeg", "png", "webp", "avif"], v.format), true)])}: use jpeg, png, webp or avif."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.fit == null ? true : contains(["inside", "cover", "contain"], v.fit)])
    error_message = "variants: ${join("; ", [for v in var.variants : "\"${v.name}\" has the unknown fit \"${v.fit}\"" if !try(contains(["inside", "cover", "contain"], v.fit), true)])}: use inside, cover or contain."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.quality == null || try(v.quality >= 1 && v.quality <= 100 && floor(v.quality) == v.quality, false)])
    error_message = "variants: ${join("; ", [for v in var.variants : "\"${v.name}\" has the quality ${v.quality}" if v.quality != null && !try(v.quality >= 1 && v.quality <= 100 && floor(v.quality) == v.quality, false)])}: use a whole number from 1 to 100."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.width != null || v.height != null])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.width == null && v.height == null])} has neither width nor height: set at least one."
  }

  validation {
    condition     = alltrue([for v in var.variants : alltrue([for side in [v.width, v.height] : side == null || try(side >= 1 && side <= 8192 && floor(side) == side, false)])])
    error_message = "variants: a width or height of ${join(", ", [for v in var.variants : "\"${v.name}\"" if !alltrue([for side in [v.width, v.height] : side == null || try(side >= 1 && side <= 8192 && floor(side) == side, false)])])} is out of range: use whole numbers of pixels from 1 to 8192."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.fit == null || v.fit == "inside" || (v.width != null && v.height != null)])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.fit != null && v.fit != "inside" && (v.width == null || v.height == null)])} needs both width and height for its fit: set both, or use inside."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.background == null || can(regex("^#[0-9a-fA-F]{6}$", v.background))])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.background != null && !can(regex("^#[0-9a-fA-F]{6}$", v.background))])} has a background that is not a colour: write it as #rrggbb."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.watermark == null || try((v.watermark.text == null) != (v.watermark.image == null), false)])
    error_message = "variants: the watermark of ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.watermark != null && !try((v.watermark.text == null) != (v.watermark.image == null), false)])} needs either text or image: set exactly one of them."
  }

  validation {
    condition = alltrue([for v in var.variants : v.watermark == null || try(
      coalesce(v.watermark.scale, 1) > 0 && coalesce(v.watermark.scale, 1) <= 1 && coalesce(v.watermark.opacity, 1) >= 0 && coalesce(v.watermark.opacity, 1) <= 1 && coalesce(v.watermark.margin, 0) >= 0 && coalesce(v.watermark.margin, 0) <= 0.5
    , false)])
    error_message = "variants: the watermark of ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.watermark != null && !try(coalesce(v.watermark.scale, 1) > 0 && coalesce(v.watermark.scale, 1) <= 1 && coalesce(v.watermark.opacity, 1) >= 0 && coalesce(v.watermark.opacity, 1) <= 1 && coalesce(v.watermark.margin, 0) >= 0 && coalesce(v.watermark.margin, 0) <= 0.5, false)])} is out of range: use a scale above 0 and up to 1, an opacity from 0 to 1, and a margin from 0 to 0.5."
  }

  validation {
    condition     = alltrue([for v in var.variants : try(v.watermark.text, null) == null || can(regex("^[ -~©«°±´·»‘’“”…‹›⁄™]{1,100}$", regex("^.*[^ ].*$", v.watermark.text)))])
    error_message = "variants: the watermark text of ${join(", ", [for v in var.variants : "\"${v.name}\"" if try(v.watermark.text, null) != null && !can(regex("^[ -~©«°±´·»‘’“”…‹›⁄™]{1,100}$", regex("^.*[^ ].*$", v.watermark.text)))])} cannot be drawn: use 1 to 100 characters on one line, not all of them blank, from ASCII or ©«°±´·»‘’“”…‹›⁄™. For other characters use an image."
  }

  validation {
    condition = alltrue([for v in var.variants : try(v.watermark.position, null) == null ? true : contains([
      "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"
    ], v.watermark.position)])
    error_message = "variants: the watermark of ${join(", ", [
      for v in var.variants : "\"${v.name}\"" if !try(contains([
        "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"
      ], v.watermark.position), true)
    ])} has an unknown position: use top-left, top, top-right, left, center, right, bottom-left, bottom or bottom-right."
  }
}

variable "workflow_type" {
  description = "Type of the workflow record_image: EXPRESS (cheap, at least once, at most five minutes) or STANDARD (history of every step for 90 days, about $25 per million steps)."
  type        = string
  default     = "EXPRESS"
  nullable    = false
}
