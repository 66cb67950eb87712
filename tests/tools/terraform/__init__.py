"""Tests of the checker of variables."""
