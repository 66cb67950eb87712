"""The function `reconcile`: compares originals, derivatives and records, and repairs differences."""
