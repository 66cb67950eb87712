"""Entry point of the command `darkroom`."""

import os
import signal


def run() -> int:
    """Run the command and return its exit code. Ctrl-C ends it silently while Python loads the other modules."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from darkroom.cli import main  # noqa: PLC0415 - loading takes a second

    return main()
