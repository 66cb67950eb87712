# Settings of the resources, with a mocked provider. Offline.

mock_provider "aws" {}

variables {
  name          = "orders"
  partition_key = { name = "order_id" }
}

run "table_is_encrypted_backed_up_and_on_demand" {
  assert {
    condition     = aws_dynamodb_table.this.server_side_encryption[0].enabled
    error_message = "Without a key, AWS's key for DynamoDB must encrypt the table."
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled
    error_message = "The table must be restorable to any second."
  }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "The capacity must be on demand."
  }

  assert {
    condition     = !aws_dynamodb_table.this.deletion_protection_enabled && !aws_dynamodb_table.this.stream_enabled && length(aws_dynamodb_table.this.ttl) == 0
    error_message = "Protection, stream and TTL must be off by default."
  }

  assert {
    condition     = aws_dynamodb_table.this.hash_key == "order_id" && aws_dynamodb_table.this.range_key == null
    error_message = "The key must be the partition key only."
  }
}

run "a_key_encrypts_the_table" {
  variables {
    key_arn = "arn:aws:kms:eu-central-1:123456789012:key/orders"
  }

  assert {
    condition     = aws_dynamodb_table.this.server_side_encryption[0].kms_key_arn == var.key_arn
    error_message = "The key must encrypt the table."
  }
}

run "keys_are_declared_once" {
  variables {
    sort_key = { name = "placed_at", type = "N" }

    indexes = {
      by_customer = {
        partition_key = { name = "customer" }
        sort_key      = { name = "placed_at", type = "N" }
      }
      by_status = {
        partition_key        = { name = "status" }
        projected_attributes = ["total", "customer"]
      }
      ids = {
        partition_key = { name = "placed_at", type = "N" }
        projection    = "KEYS_ONLY"
      }
    }
  }

  assert {
    condition     = { for attribute in aws_dynamodb_table.this.attribute : attribute.name => attribute.type } == { customer = "S", order_id = "S", placed_at = "N", status = "S" }
    error_message = "Exactly the keys of table and indexes must be declared."
  }

  assert {
    condition     = aws_dynamodb_table.this.range_key == "placed_at"
    error_message = "The table must have its sort key."
  }

  assert {
    condition = jsonencode({ for index in aws_dynamodb_table.this.global_secondary_index : index.name => [index.hash_key, index.range_key, index.projection_type] }) == jsonencode({
      by_customer = ["customer", "placed_at", "ALL"]
      by_status   = ["status", null, "INCLUDE"]
      ids         = ["placed_at", null, "KEYS_ONLY"]
    })
    error_message = "Every index must have its keys and its projection."
  }

  assert {
    condition     = one([for index in aws_dynamodb_table.this.global_secondary_index : index.non_key_attributes if index.name == "by_status"]) == toset(["customer", "total"])
    error_message = "The given attributes must be copied to the index."
  }

  assert {
    condition     = output.index_arns["by_status"] == "${output.arn}/index/by_status" && length(output.index_arns) == 3
    error_message = "The ARN of every index must be an output."
  }
}

run "options_reach_the_table" {
  variables {
    deletion_protection    = true
    point_in_time_recovery = { days = 7 }
    stream                 = "NEW_IMAGE"
    tags                   = { team = "shop" }
    ttl_attribute          = "expires_at"
  }

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled && aws_dynamodb_table.this.tags == tomap({ team = "shop" })
    error_message = "The table must have protection and tags."
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].recovery_period_in_days == 7
    error_message = "Backups must cover seven days."
  }

  assert {
    condition     = aws_dynamodb_table.this.stream_enabled && aws_dynamodb_table.this.stream_view_type == "NEW_IMAGE" && output.stream_arn == aws_dynamodb_table.this.stream_arn
    error_message = "There must be a stream."
  }

  assert {
    condition     = aws_dynamodb_table.this.ttl[0].enabled && aws_dynamodb_table.this.ttl[0].attribute_name == "expires_at"
    error_message = "Items must expire."
  }
}

run "backups_can_be_off" {
  variables {
    point_in_time_recovery = null
  }

  assert {
    condition     = !aws_dynamodb_table.this.point_in_time_recovery[0].enabled
    error_message = "There must be no continuous backup."
  }

  assert {
    condition     = output.name == "orders" && output.stream_arn == null
    error_message = "Name and stream must be those of the table."
  }
}

run "key_with_two_types_is_refused" {
  command = plan

  variables {
    indexes = { by_id = { partition_key = { name = "order_id", type = "N" } } }
  }

  expect_failures = [aws_dynamodb_table.this]
}

run "invalid_values_fail_at_plan" {
  command = plan

  variables {
    name                   = "no"
    partition_key          = { name = "order_id", type = "BOOL" }
    indexes                = { by_customer = { partition_key = { name = "customer" }, projection = "SOME" } }
    point_in_time_recovery = { days = 36 }
    sort_key               = { name = "placed_at", type = "M" }
    stream                 = "EVERYTHING"
  }

  expect_failures = [
    var.name,
    var.partition_key,
    var.indexes,
    var.point_in_time_recovery,
    var.sort_key,
    var.stream,
  ]
}

run "index_key_of_an_unknown_type_is_refused" {
  command = plan

  variables {
    indexes = { by_customer = { partition_key = { name = "customer" }, sort_key = { name = "placed_at", type = "DATE" } } }
  }

  expect_failures = [var.indexes]
}
