"""The project's tests, by subject and by what they need."""
