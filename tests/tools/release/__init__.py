"""Tests of releases and workflows."""
