"""Benchmarks of speed, size and quality of Darkroom and its peers: `make benchmark`."""
