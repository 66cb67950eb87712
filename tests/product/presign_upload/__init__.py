"""Tests of the function `presign_upload`."""
