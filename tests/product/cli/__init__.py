"""Tests of the command `darkroom`."""
