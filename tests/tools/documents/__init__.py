"""Tests of the documents and their commands."""
