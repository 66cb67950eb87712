"""Tests of the event contracts."""
