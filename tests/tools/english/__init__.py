"""Tests of the check of the English."""
