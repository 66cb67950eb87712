"""Published interfaces: recorded at a release, and compared with the current code."""
