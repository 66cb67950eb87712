"""Tests of `scripts/` and `benchmarks/`."""
