"""The site of all documents."""
