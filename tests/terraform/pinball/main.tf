# Every module except `good` breaks one rule of scripts/architecture/rules.py.
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

module "good" {
  source = "./good"
}

module "loop" {
  source = "./loop"
}

module "loop_over_a_bus" {
  source = "./loop_over_a_bus"
}

module "hops" {
  source = "./hops"
}

module "call" {
  source = "./call"
}

module "target" {
  source = "./target"
}

module "subscription" {
  source = "./subscription"
}

module "consumer" {
  source = "./consumer"
}

module "unwatched" {
  source = "./unwatched"
}
