"""Quality of the derivatives: similarity to a reference, and size in bytes.

The reference is decoded in full size, converted in full size and scaled once, by Lanczos over all its pixels.
Similarity is SSIMULACRA2: 100 is equal, 90 is indistinguishable in direct comparison, 70 is good. Differences below
half a point are not visible.
"""

from __future__ import annotations

from io import BytesIO
from statistics import geometric_mean
from typing import TYPE_CHECKING, TypedDict

from PIL import Image

from benchmarks.peer_pillow import upright_srgb
from benchmarks.peers import NAIVE, Worker
from benchmarks.work import usual_work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.peers import Peer
    from benchmarks.pictures import Original
    from benchmarks.work import Derivative


class File(TypedDict):
    """One derivative: its SSIMULACRA2 score (at most 100) and its size in bytes."""

    score: float
    bytes: int


Quality = dict[str, dict[str, dict[str, File]]]
"""By original, derivative and peer."""


def compare(
    peers: Sequence[Peer],
    originals: Sequence[Original],
    watermark: Path,
    folder: Path,
    progress: Callable[[str], None],
) -> Quality:
    """Score what some peers make of the originals."""
    result: Quality = {}
    mark = Image.open(watermark).convert("RGBA")
    for original in originals:
        work = usual_work(original.path, original.size, watermark)
        for peer in peers:
            progress(f"{original.name}: {peer.name}")
            with Worker(peer, work, folder) as worker:
                worker.render()
                worker.save(folder / peer.name)
        full = upright_srgb(original.path.read_bytes())
        by_derivative: dict[str, dict[str, File]] = {}
        for one in work.derivatives:
            by_derivative[one.name] = {}
            for peer in peers:
                progress(f"{original.name}: {one.name} of {peer.name}")
                file = folder / peer.name / f"{one.name}.{one.format}"
                with Image.open(file) as image:
                    image.load()
                    reference = _reference(full, image.size, one, mark)
                by_derivative[one.name][peer.name] = {"score": score(reference, image), "bytes": file.stat().st_size}
        result[original.name] = by_derivative
    return result


def score(reference: Image.Image, image: Image.Image) -> float:
    """Return the SSIMULACRA2 score of an image; with alpha, the lower score of a black and a white background."""
    from ssimulacra2 import compute_ssimulacra2  # noqa: PLC0415 - a second to import, for who measures quality

    if "A" in reference.getbands():
        return min(score(_on(reference, colour), _on(image, colour)) for colour in ("black", "white"))
    return float(compute_ssimulacra2(_png(reference), _png(image)))


def differences(quality: Quality, peer: str, derivative: str) -> dict[str, float]:
    """Return the difference of a peer's score to naive Pillow's, negative if worse, for each original's derivative."""
    return {
        name: files[derivative][peer]["score"] - files[derivative][NAIVE]["score"] for name, files in quality.items()
    }


def bytes_ratio(quality: Quality, peer: str) -> float:
    """Return the size relative to naive Pillow's, as the geometric mean over all files."""
    return geometric_mean(
        files[peer]["bytes"] / files[NAIVE]["bytes"] for one in quality.values() for files in one.values()
    )


def _reference(full: Image.Image, size: tuple[int, int], one: Derivative, mark: Image.Image) -> Image.Image:
    image = full.resize(size, Image.Resampling.LANCZOS)
    if one.format == "jpeg" and image.mode == "RGBA":
        image = _on(image, "white")
    if one.watermark:
        image.paste(mark, one.watermark, mark)
    return image


def _on(image: Image.Image, colour: str) -> Image.Image:
    behind = Image.new("RGBA", image.size, colour)
    return Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB")


def _png(image: Image.Image) -> BytesIO:
    file = BytesIO()
    image.convert("RGB").save(file, "PNG", compress_level=0)
    file.seek(0)
    return file
