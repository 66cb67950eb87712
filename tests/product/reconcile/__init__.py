"""Tests of the function `reconcile`."""
