"""Tests of the function `process_image`."""
