"""Tests of the image core."""
