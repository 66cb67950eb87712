"""Plugins that let LocalStack run without a Docker engine; docs/localstack.md lists the differences."""
