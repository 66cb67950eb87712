"""Checks of what Terraform would create against AWS's published data, offline.

A check is a module here with `check(plans) -> Iterator[Finding]`. It gets the plans of the root, the examples and the
deploy roles (`plans.py`), in which every value is known, and yields one `Finding` for each mistake. Its reference data
is next to it, with the source. `scripts/check_aws.py` runs all checks, and `tests/tools/aws_checks/` plants the
mistakes that each of them has to find.
"""
