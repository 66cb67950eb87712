# Orders by id, with an index of each customer's orders by time. Drafts expire at the time in expires_at.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

module "orders" {
  source = "../.."

  name          = "example-orders"
  partition_key = { name = "order_id" }
  ttl_attribute = "expires_at"

  indexes = {
    by_customer = {
      partition_key = { name = "customer" }
      sort_key      = { name = "placed_at", type = "N" }
    }
  }
}

output "name" {
  description = "Name of the table of the orders."
  value       = module.orders.name
}
