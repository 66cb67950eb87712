"""Tests of the functions' zips."""
