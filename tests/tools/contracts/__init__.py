"""Tests of the compatibility gate for contracts."""
