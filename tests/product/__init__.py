"""Tests of the product. They need the development environment and nothing else."""
