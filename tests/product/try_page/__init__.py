"""Tests of the try page in a browser."""
