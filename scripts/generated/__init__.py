"""What the generators of documents share."""
