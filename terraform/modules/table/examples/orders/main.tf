# Orders by id, and a customer's by an index in the order of their time; drafts vanish at the time in expires_at.

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
  description = "Put the orders into this table."
  value       = module.orders.name
}
