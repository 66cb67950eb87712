"""The error of the packager."""

from scripts.process.entry_point import ToolError


class PackagingError(ToolError):
    """A zip cannot be built. The message says why and what to do."""
