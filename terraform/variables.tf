variable "name" {
  description = "Name of this pipeline: the first part of every resource's name, so that several live side by side in one account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name \"${var.name}\": use 2 to 24 lower-case letters, digits and hyphens, a letter first (bucket names are made of it)."
  }

  # A bucket's name holds the account's id, too: name-originals-123456789012-region.
  validation {
    condition     = length("${var.name}-originals-123456789012-${var.region}") <= 63
    error_message = "name \"${var.name}\" and region ${var.region} make bucket names of ${length("${var.name}-originals-123456789012-${var.region}")} characters, and S3 takes 63: use a name of at most ${39 - length(var.region)} characters."
  }

  # Names of buckets that S3 keeps for itself.
  validation {
    condition     = !can(regex("^(amzn-s3-demo-|sthree-|xn--)", var.name))
    error_message = "name \"${var.name}\" begins with amzn-s3-demo-, sthree- or xn--, which S3 does not allow at the beginning of a bucket's name: use another."
  }
}

variable "region" {
  description = "AWS region, such as eu-central-1."
  type        = string
  nullable    = false
}

variable "access_log" {
  description = "Where S3 delivers its log of every request to the buckets: a bucket in the same region whose policy admits `logging.s3.amazonaws.com`. Null: none is written; such a log costs more than the requests."
  type        = object({ bucket = string, prefix = optional(string, "s3/") })
  default     = null
}

variable "api" {
  description = <<-EOT
    The API in front of buckets and table; null: none. authorization: how callers say who they are, by AWS_IAM's
    signature by default (modules/service_api). api_keys: names of API keys to make. cors_origins: the web
    origins that may call it from a browser, such as https://example.com. logs: log each request, and what fails.
    API Gateway needs a role for that, which is one for all APIs of the account and region. If there is none, the apply
    fails: examples/api_account_logging makes it. page: serve a page to try it with. throttling: requests
    a second, and at once, of all callers together. upload_expiry: seconds for which a presigned upload is good.
    web_acl: a WAF to put before it, by its arn.
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
    error_message = "api.try_page sends a key or a token, and authorization.type ${try(var.api.authorization.type, "null")} asks for a signature: use API_KEY, COGNITO_USER_POOLS or LAMBDA."
  }
}

variable "architecture" {
  description = "Processor of the functions: arm64 (about 20 % cheaper) or x86_64. The artifact for it must be built."
  type        = string
  default     = "arm64"
  nullable    = false
}

variable "archive_days" {
  description = "Days for which events can be replayed."
  type        = number
  default     = 30
  nullable    = false
}

variable "artifacts" {
  description = "Path of the manifest that scripts/package_lambdas.py writes, relative to this folder."
  type        = string
  default     = "../build/manifest.json"
  nullable    = false
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete buckets that still hold images. Off, it stops at a filled bucket and nothing is lost."
  type        = bool
  default     = false
  nullable    = false
}

variable "limits" {
  description = <<-EOT
    What an original may measure at most; anything above is announced as rejected (docs/images.md). max_bytes: of the
    file. max_frames: of an animation. max_metadata_bytes: of colour profile, EXIF data and texts, unpacked. max_pixels:
    width × height. max_scan_megapixels: million pixels × scans of a progressive JPEG. And what one image may take:
    max_memory in MB, besides the 256 of the function itself, and max_seconds.
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
    error_message = "limits: max_pixels is ${var.limits.max_pixels}: use at most 178956970, what the decoders take."
  }

  validation {
    condition     = var.limits.max_metadata_bytes <= 16 * 1024 * 1024
    error_message = "limits: max_metadata_bytes is ${var.limits.max_metadata_bytes}: use at most ${16 * 1024 * 1024}."
  }
}

variable "logs" {
  description = "Logs of functions and workflow: level of the functions' own lines (DEBUG, INFO, WARN, ERROR or FATAL), days until a line is deleted. Metrics, uncaught errors and Lambda's own lines are kept at every level; from WARN on, the saved queries find no image that was processed or rejected."
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
  description = "Subscriptions of the notifications topic, by a name of your choice: protocol (email, sqs, https, …), endpoint, and optionally a filter on the message attributes status, image_id, dedup_id."
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
    Dashboard, alarms and saved queries; null: none. alarm_topic_arns: SNS topics that are told of alarms; what their
    policies must admit is the output alarm_publishers. budget: US dollars a month, and the percentages of it that are an
    alarm when they are spent or forecast (modules/observability); null: none. expected_every: hours within which at least
    one image is expected (null: nothing is). findings: tell the topics what Security Hub and AWS Config find in these
    resources. max_wait: seconds that an upload may wait. rejected_share: share of rejected images, of at least 20 within
    an hour, that is an alarm. save_queries: false where CloudWatch cannot keep queries, as on some emulators. schemas:
    put the events' contracts into a registry of EventBridge's.
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
    error_message = "observe.findings tells one to five topics, and alarm_topic_arns has ${try(length(var.observe.alarm_topic_arns), 0)}: name the topic that is to be told."
  }
}

variable "originals" {
  description = "The bucket that is uploaded to: days until an overwritten or deleted version is removed for good (null: never), and the web origins that may upload from a browser."
  type = object({
    noncurrent_days = optional(number)
    cors_origins    = optional(list(string), [])
  })
  default  = {}
  nullable = false
}

variable "permissions_boundary_arn" {
  description = "ARN of a policy that bounds what the roles made here may ever do (examples/github_deploy_role makes one). Null: none."
  type        = string
  default     = null
}

variable "process_image" {
  description = "Size of the function: memory in MB (processor share grows with it), timeout in seconds, how many run at once at most, how many messages one takes at once."
  type = object({
    memory          = optional(number, 1024)
    timeout         = optional(number, 90)
    max_concurrency = optional(number, 10)
    batch_size      = optional(number, 5)
  })
  default  = {}
  nullable = false

  # Besides rendering, 25 s: until handler.py gives up a request that S3 or the bus do not answer.
  validation {
    condition     = var.process_image.timeout >= var.process_image.batch_size * var.limits.max_seconds + 25
    error_message = "process_image: a batch of ${var.process_image.batch_size} images, each of which may take limits.max_seconds ${var.limits.max_seconds}, and 25 s until a request that nobody answers is given up, do not fit into the timeout of ${var.process_image.timeout} s: set it to ${var.process_image.batch_size * var.limits.max_seconds + 25}, or batch_size or max_seconds lower."
  }

  validation {
    condition     = var.process_image.memory >= var.limits.max_memory + 256
    error_message = "process_image: memory of ${var.process_image.memory} MB is less than limits.max_memory ${var.limits.max_memory} + 256 MB, which the function itself needs: set it to ${var.limits.max_memory + 256}, or max_memory lower."
  }
}

variable "processed" {
  description = "The bucket of the derivatives. events: let it tell EventBridge of each of them, for rules of your own; S3's events cost about as much as the events of the bus."
  type        = object({ events = optional(bool, false) })
  default     = {}
  nullable    = false
}

variable "reconcile" {
  description = <<-EOT
    A scheduled comparison of originals, derivatives and records; null: none. schedule: as EventBridge Scheduler writes
    it, in UTC. repair: send the pipeline what was lost and delete what nobody knows, instead of only reporting.
    grace_minutes: what is younger may be under way. timeout in seconds and memory in MB of the function, which stops in
    time and goes on where it was at its next run.
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
    error_message = "reconcile.schedule \"${try(var.reconcile.schedule, "")}\": write it as EventBridge Scheduler does, rate(1 day) or cron(0 3 * * ? *) for example."
  }

  validation {
    condition     = var.reconcile == null || try(var.reconcile.grace_minutes >= 1, false)
    error_message = "reconcile.grace_minutes is ${try(var.reconcile.grace_minutes, "null")}: use at least 1, or images that are just being processed are taken for lost."
  }

  # A run stops 55 s before the timeout (lambdas/reconcile/handler.py).
  validation {
    condition     = var.reconcile == null || try(var.reconcile.timeout >= 120 && var.reconcile.timeout <= 900, false)
    error_message = "reconcile.timeout is ${try(var.reconcile.timeout, "null")} s: use 120 to 900."
  }
}

variable "runtime" {
  description = "Python of the functions. The artifact for it must be built."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime \"${var.runtime}\": write it as AWS Lambda does, python3.13 for example."
  }
}

variable "s3_use_path_style" {
  description = "Address buckets as http://host/bucket: needed only where <bucket>.<host> does not resolve, as with an emulator."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags for every resource, besides Application = name."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")])
    error_message = "tags: a key has 1 to 128 and a value up to 256 letters, digits, spaces and _.:/=+@-, and a key does not begin with aws:, unlike ${join(", ", [for key, value in var.tags : "\"${key}\"" if !(can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:"))])}."
  }

  # To IAM they are the same key, to most other services two.
  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags: ${join(", ", [for key in keys(var.tags) : "\"${key}\"" if length([for other in keys(var.tags) : other if lower(other) == lower(key)]) > 1])} differ only in case: keep one of them."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : key == "Application" || lower(key) != "application"])
    error_message = "tags: \"${join("\", \"", [for key in keys(var.tags) : key if lower(key) == "application"])}\" differs only in case from Application, which every resource has: write it so to set its value, or leave it out."
  }
}

variable "tracing" {
  description = "Trace requests with X-Ray through API, functions, workflow and topic. What it costs, docs/cost.md says; false: nothing is traced. For the topic's part X-Ray has to be told once to take it: docs/deploy.md."
  type        = bool
  default     = true
  nullable    = false
}

variable "variants" {
  description = <<-EOT
    The derivatives to make of every image. Each needs a name and a width or a height in pixels. fit: inside (keep
    all, no larger than the box), cover (fill the box, crop the rest), contain (keep all, fill the rest with
    background). format: jpeg, png, webp or avif; quality 1 to 100 (null: a good one for the format). enlarge: also
    enlarge images that are smaller. watermark: a text, or the path of an image file, at one of nine positions;
    scale as a part of the derivative's width, margin as a part of its shorter side, opacity 0 to 1. docs/images.md
    lists the defaults, which the image core has (docs/decisions/0021-two-delete-events.md).
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
    error_message = "variants: give at least one, or there is nothing to make of an image."
  }

  validation {
    condition     = alltrue([for v in var.variants : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", v.name))])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if !can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", v.name))])} cannot be a name: use up to 64 letters, digits, - and _."
  }

  validation {
    condition     = length(distinct(var.variants[*].name)) == length(var.variants)
    error_message = "variants: ${join(", ", distinct([for v in var.variants : "\"${v.name}\"" if length([for w in var.variants : w if w.name == v.name]) > 1]))} occurs twice: every variant needs a name of its own."
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
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.width == null && v.height == null])} has neither width nor height: give at least one."
  }

  validation {
    condition     = alltrue([for v in var.variants : alltrue([for side in [v.width, v.height] : side == null || try(side >= 1 && side <= 8192 && floor(side) == side, false)])])
    error_message = "variants: a width or height of ${join(", ", [for v in var.variants : "\"${v.name}\"" if !alltrue([for side in [v.width, v.height] : side == null || try(side >= 1 && side <= 8192 && floor(side) == side, false)])])} is out of range: use whole pixels from 1 to 8192."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.fit == null || v.fit == "inside" || (v.width != null && v.height != null)])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.fit != null && v.fit != "inside" && (v.width == null || v.height == null)])} needs both width and height for its fit."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.background == null || can(regex("^#[0-9a-fA-F]{6}$", v.background))])
    error_message = "variants: ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.background != null && !can(regex("^#[0-9a-fA-F]{6}$", v.background))])} has a background that is no colour: write it as #rrggbb."
  }

  validation {
    condition     = alltrue([for v in var.variants : v.watermark == null || try((v.watermark.text == null) != (v.watermark.image == null), false)])
    error_message = "variants: the watermark of ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.watermark != null && !try((v.watermark.text == null) != (v.watermark.image == null), false)])} needs either a text or an image, and not both."
  }

  validation {
    condition = alltrue([for v in var.variants : v.watermark == null || try(
      coalesce(v.watermark.scale, 1) > 0 && coalesce(v.watermark.scale, 1) <= 1 && coalesce(v.watermark.opacity, 1) >= 0 && coalesce(v.watermark.opacity, 1) <= 1 && coalesce(v.watermark.margin, 0) >= 0 && coalesce(v.watermark.margin, 0) <= 0.5
    , false)])
    error_message = "variants: the watermark of ${join(", ", [for v in var.variants : "\"${v.name}\"" if v.watermark != null && !try(coalesce(v.watermark.scale, 1) > 0 && coalesce(v.watermark.scale, 1) <= 1 && coalesce(v.watermark.opacity, 1) >= 0 && coalesce(v.watermark.opacity, 1) <= 1 && coalesce(v.watermark.margin, 0) >= 0 && coalesce(v.watermark.margin, 0) <= 0.5, false)])} has a scale (above 0 to 1), opacity (0 to 1) or margin (0 to 0.5) out of range."
  }

  validation {
    condition     = alltrue([for v in var.variants : try(v.watermark.text, null) == null || can(regex("^[ -~©«°±´·»‘’“”…‹›⁄™]{1,100}$", regex("^.*[^ ].*$", v.watermark.text)))])
    error_message = "variants: the watermark text of ${join(", ", [for v in var.variants : "\"${v.name}\"" if try(v.watermark.text, null) != null && !can(regex("^[ -~©«°±´·»‘’“”…‹›⁄™]{1,100}$", regex("^.*[^ ].*$", v.watermark.text)))])} cannot be drawn: use 1 to 100 characters, on one line and not all of them blank, of ASCII or ©«°±´·»‘’“”…‹›⁄™, which is what the font has (an image can show anything)."
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
  description = "Type of the record workflow: EXPRESS (cheap, at least once, five minutes) or STANDARD (every step kept for 90 days, about $25 per million steps)."
  type        = string
  default     = "EXPRESS"
  nullable    = false
}
