"""The error that every part of the packaging raises for what a user can put right."""

from __future__ import annotations


class PackagingError(Exception):
    """Something is wrong that the message explains to the person who runs the command."""
