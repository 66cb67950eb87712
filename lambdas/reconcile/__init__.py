"""Compares originals, derivatives and records, and repairs: a scheduled function, and `darkroom reconcile`."""
