"""What users rely on: recorded when it is published, and compared with what is there now."""
