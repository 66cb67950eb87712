"""End-to-end tests against an engine."""
