"""The operator's command: one module for each of its subcommands, and what they share."""
