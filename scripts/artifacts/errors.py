"""The error of the packager."""


class PackagingError(Exception):
    """A zip cannot be built. The message says why and what to do."""
