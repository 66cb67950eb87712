"""Helpers for several folders of tests."""
