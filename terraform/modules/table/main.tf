locals {
  keys = concat(
    [var.partition_key],
    var.sort_key[*],
    flatten([for index in values(var.indexes) : concat([index.partition_key], index.sort_key[*])]),
  )

  # Terraform declares key attributes only, each once.
  types = { for name, types in { for key in local.keys : key.name => key.type... } : name => distinct(types) }
}

resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.deletion_protection
  hash_key                    = var.partition_key.name
  range_key                   = try(var.sort_key.name, null)
  stream_enabled              = var.stream != null
  stream_view_type            = var.stream

  dynamic "attribute" {
    for_each = local.types

    content {
      name = attribute.key
      type = attribute.value[0]
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.partition_key.name
      range_key          = try(global_secondary_index.value.sort_key.name, null)
      non_key_attributes = global_secondary_index.value.projected_attributes
      projection_type    = global_secondary_index.value.projected_attributes == null ? global_secondary_index.value.projection : "INCLUDE"
    }
  }

  point_in_time_recovery {
    enabled                 = var.point_in_time_recovery != null
    recovery_period_in_days = try(var.point_in_time_recovery.days, null)
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arn
  }

  dynamic "ttl" {
    for_each = var.ttl_attribute[*]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  tags = var.tags

  lifecycle {
    precondition {
      condition     = alltrue([for types in values(local.types) : length(types) == 1])
      error_message = "A key attribute must have the same type everywhere: ${join("; ", [for name, types in local.types : "${name} is ${join(" and ", types)}" if length(types) > 1])}."
    }
  }
}
