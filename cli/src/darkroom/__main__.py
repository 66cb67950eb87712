"""`python -m darkroom`, which is what the command `darkroom` runs."""

import os
import signal
import sys


def _run() -> int:
    from darkroom.cli import main  # noqa: PLC0415 - takes a second, in which Ctrl-C would print where it is

    return main()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    sys.exit(_run())
