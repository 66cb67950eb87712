"""Tests of the engines and of what they can do."""
