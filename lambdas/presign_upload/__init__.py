"""The function `presign_upload`: a form that lets its bearer upload one image, under one key, for a short while."""
