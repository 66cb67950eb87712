"""The work that every peer does: one picture in, three derivatives out. All of it is data, for any language."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

MARGIN = 0.03  # of a derivative's shorter side, between its edge and the watermark
WATERMARK_SIZE = (256, 64)  # pixels


@dataclass(frozen=True, slots=True)
class Derivative:
    """One file to make.

    Attributes:
        name: Name of the file, without its extension.
        side: Pixels that neither side may exceed.
        format: jpeg or webp.
        quality: Quality of the encoder, 1 to 100.
        watermark: Left upper corner of the watermark in pixels, or None.
    """

    name: str
    side: int
    format: Literal["jpeg", "webp"]
    quality: int
    watermark: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Work of a peer.

    Attributes:
        picture: Path of the original.
        size: Width and height of the largest derivative, in pixels.
        watermark: Path of an image with alpha, in exactly the size in which it is drawn.
        derivatives: Derivatives to make.
    """

    picture: str
    size: tuple[int, int]
    watermark: str
    derivatives: tuple[Derivative, ...]

    def write(self, path: Path) -> None:
        """Write it where a peer will read it."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: str) -> Self:
        """Read what `write` wrote."""
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(**fields | {"derivatives": tuple(Derivative(**one) for one in fields["derivatives"])})


def usual_work(picture: Path, upright: tuple[int, int], watermark: Path) -> Work:
    """Return thumbnail, watermarked picture and WebP of an original whose upright size is `upright`."""
    scale = min(1.0, 1024 / max(upright))
    width, height = (round(side * scale) for side in upright)
    margin = round(MARGIN * min(width, height))
    corner = (width - WATERMARK_SIZE[0] - margin, height - WATERMARK_SIZE[1] - margin)
    derivatives = (
        Derivative("thumbnail", 256, "jpeg", 80),
        Derivative("marked", 1024, "jpeg", 82, corner),
        Derivative("web", 1024, "webp", 80),
    )
    return Work(str(picture), (width, height), str(watermark), derivatives)
