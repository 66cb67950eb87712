"""What LocalStack needs in order to run without a Docker engine; docs/localstack.md says what that does not show."""
