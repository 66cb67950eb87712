"""The zips that Lambda runs: built from lambdas/, reproducible, described by a manifest and a bill of materials."""
