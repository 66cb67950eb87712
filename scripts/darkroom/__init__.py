"""The operator's command: one module for each of its subcommands, and what they share."""

import lambdas_path  # noqa: F401 - what compares and repairs is a function's, too
