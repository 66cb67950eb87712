"""Tests of the frame of entry points and of the environment that engines and Terraform get."""
