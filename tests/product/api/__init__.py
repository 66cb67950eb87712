"""Tests of the API's templates and its OpenAPI document."""
