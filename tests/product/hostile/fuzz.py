"""Look for files that make `render` do anything else than render or reject: `make fuzz`.

Coverage is that of Python, ours and Pillow's: the decoders' C code runs, but does not lead the way. A file that takes
more than ten seconds is a find as well. What is found lies in build/fuzz, and is tried again first the next time; so
are the seeds of the mutations.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["process_image", "PIL"]):
    from process_image.image import Limits, RejectedImageError, Variant, render
    from tests.product.hostile.mutations import SEEDS

VARIANTS = [Variant(name="thumb", width=12, height=12, format="png")]
LIMITS = Limits(max_bytes=100_000, max_pixels=250_000, max_scan_megapixels=20)


def render_or_reject(data: bytes) -> None:
    """Try one file."""
    with suppress(RejectedImageError):
        render(data, VARIANTS, LIMITS)


def main() -> None:
    """Put the seeds where the fuzzer begins, and start it."""
    folder = next(Path(argument) for argument in sys.argv[1:] if not argument.startswith("-"))
    for name, data in SEEDS.items():
        (folder / f"seed {name}").write_bytes(data)
    atheris.Setup(sys.argv, render_or_reject)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
