"""The contracts in `events/`: read them, match patterns, compare versions."""
