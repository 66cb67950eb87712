"""Tests of the generators of documents."""
