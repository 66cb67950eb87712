"""The steps of the smoke test on AWS."""
