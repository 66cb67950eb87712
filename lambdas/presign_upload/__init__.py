"""The function `presign_upload`: signs a form for the upload of one image under one key."""
