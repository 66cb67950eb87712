"""AVIF instead of WebP: what the same quality costs in bytes and in CPU time.

Each photograph is scaled to 1,024 pixels once, and both encoders get those pixels. Of AVIF the quality number is
searched whose score is that of WebP with quality 80.
"""

from __future__ import annotations

import resource
from io import BytesIO
from statistics import geometric_mean, median
from typing import TYPE_CHECKING, Literal, TypedDict

from PIL import Image

from benchmarks.peer_darkroom import LIMITS
from benchmarks.quality import score
from process_image.image import Variant, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WEBP_QUALITY = 80
SIDE = 1024


class Avif(TypedDict):
    """For one photograph.

    Attributes:
        quality: Quality of the AVIF with the score of the WebP.
        score: SSIMULACRA2 of the WebP.
        bytes: Size of the AVIF at exactly that score, between two quality numbers, relative to the WebP.
        cpu: CPU time of encoding, relative to the WebP.
    """

    quality: int
    score: float
    bytes: float
    cpu: float


def compare(photographs: Mapping[str, Image.Image], rounds: int, progress: Callable[[str], None]) -> dict[str, Avif]:
    """Compare both formats on photographs, by their names."""
    result: dict[str, Avif] = {}
    for name, photograph in photographs.items():
        picture = photograph.copy()
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        data = _png(picture)
        progress(f"{name}: WebP")
        webp = _encode(data, "webp", WEBP_QUALITY)
        wanted = score(picture, _decoded(webp))

        # The least number whose score is not below the wanted one.
        files: dict[int, tuple[float, int]] = {}
        low, high = 1, 100
        while low < high:
            quality = (low + high) // 2
            progress(f"{name}: AVIF with quality {quality}")
            files[quality] = _scored(picture, data, quality)
            low, high = (low, quality) if files[quality][0] >= wanted else (quality + 1, high)
        for quality in {max(1, low - 1), low} - files.keys():
            files[quality] = _scored(picture, data, quality)
        progress(f"{name}: CPU time")
        times: dict[str, list[float]] = {"webp": [], "avif": [], "neither": []}
        for _ in range(rounds):
            times["neither"].append(_cpu(data))
            times["webp"].append(_cpu(data, _variant("webp", WEBP_QUALITY)))
            times["avif"].append(_cpu(data, _variant("avif", low)))
        decoding = median(times["neither"])
        result[name] = {
            "quality": low,
            "score": wanted,
            "bytes": _between(files[max(1, low - 1)], files[low], wanted) / len(webp),
            "cpu": (median(times["avif"]) - decoding) / (median(times["webp"]) - decoding),
        }
    return result


def mean(results: Mapping[str, Avif], figure: Literal["bytes", "cpu"]) -> float:
    """Return a ratio to WebP, as the geometric mean over photographs."""
    return geometric_mean(one[figure] for one in results.values())


def _variant(kind: Literal["avif", "webp"], quality: int) -> Variant:
    return Variant(name=kind, width=SIDE, height=SIDE, format=kind, quality=quality)


def _encode(data: bytes, kind: Literal["avif", "webp"], quality: int) -> bytes:
    return render(data, [_variant(kind, quality)], LIMITS).derivatives[0].data


def _scored(picture: Image.Image, data: bytes, quality: int) -> tuple[float, int]:
    avif = _encode(data, "avif", quality)
    return score(picture, _decoded(avif)), len(avif)


def _between(below: tuple[float, int], above: tuple[float, int], wanted: float) -> float:
    (low, few), (high, many) = below, above
    return many if high <= low else few + (many - few) * (wanted - low) / (high - low)


def _cpu(data: bytes, *variants: Variant) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    render(data, variants, LIMITS)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _decoded(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG", compress_level=0)  # so that reading it again costs next to nothing
    return file.getvalue()
