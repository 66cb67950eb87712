"""Terraform's runs, plans and copies of the configuration."""
