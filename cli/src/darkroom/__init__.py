"""The operator's command: one module for each subcommand, and the modules that they share."""
