"""Measures of one image: for CloudWatch's metrics and for the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from process_image.image import Rendering

UNITS: Final[Mapping[str, str]] = {
    "UploadToAnnounced": "Milliseconds",
    "Fetch": "Milliseconds",
    "Render": "Milliseconds",
    "Look": "Milliseconds",
    "Decode": "Milliseconds",
    "Scale": "Milliseconds",
    "Encode": "Milliseconds",
    "Store": "Milliseconds",
    "BytesIn": "Bytes",
    "BytesOut": "Bytes",
    "Megapixels": "Count",
    "Variants": "Count",
}
"""Every measure, and its unit in CloudWatch."""


class Stopwatch:
    """Measures stages, one after the other."""

    def __init__(self) -> None:
        self._begun: list[tuple[str, float]] = []

    def begin(self, stage: str) -> None:
        """Begin a stage, and end the previous one."""
        self._begun.append((stage, time.perf_counter()))

    def stop(self) -> dict[str, float]:
        """End the last stage, and return the seconds of each."""
        ends = [*(at for _, at in self._begun[1:]), time.perf_counter()]
        return {stage: end - at for (stage, at), end in zip(self._begun, ends, strict=True)}


def measures_of(rendering: Rendering, stages: Mapping[str, float]) -> dict[str, float]:
    """Return the measures of a rendered image, with the seconds of its stages, in the units of `UNITS`."""
    original = rendering.original
    return {
        **{stage.title(): seconds * 1000 for stage, seconds in stages.items()},
        "BytesIn": original.bytes,
        "BytesOut": sum(len(derivative.data) for derivative in rendering.derivatives),
        "Megapixels": original.width * original.height / 1_000_000,
        "Variants": len(rendering.derivatives),
    }
