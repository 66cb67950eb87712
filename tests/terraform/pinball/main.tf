# A plan in which every module but `good` breaks one rule of scripts/architecture/rules.py. It needs no account.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
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

module "unclear" {
  source = "./unclear"
}
