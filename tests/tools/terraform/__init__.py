"""Tests of the plans and of the checker of variables."""
