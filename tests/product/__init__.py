"""Tests of the product that need no engine."""
