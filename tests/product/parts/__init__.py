"""Tests of the function's optional parts, in an environment that has them."""
