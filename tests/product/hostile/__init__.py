"""Hostile files, mutations and the fuzzer."""
