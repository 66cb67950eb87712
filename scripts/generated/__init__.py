"""Code that the generators of documents share."""
