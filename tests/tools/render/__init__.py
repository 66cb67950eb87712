"""Tests of `scripts/render.py`."""
