"""Tests of the Terraform configuration, with mocks and offline plans."""
