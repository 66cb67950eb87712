"""Common parts of the generators of documents."""
