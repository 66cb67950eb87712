"""Tests of the checks of AWS, with planted mistakes."""
