"""What was meant to be reached, and whether it was."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, TypedDict

from benchmarks import avif, quality, speed, start
from benchmarks.peers import CASCADE, DARKROOM, DOCUMENTED, SIMD

if TYPE_CHECKING:
    from collections.abc import Iterator


MISSED = "**not met**"

# Why a goal may be missed, as far as it was measured when this was written; shown where it is.
_CODECS = (
    "Decoding the JPEG and encoding the WebP take more than half of Darkroom's time, and the same libraries do it for "
    "sharp. What can be saved is in the rest."
)
_PNG = (
    "More than half of the time is Pillow's PNG decoder, which undoes the filters byte by byte. Faster decoders that "
    "have wheels need NumPy, with which the zip would be three times as large; a faster inflate alone (isal, "
    "libdeflate) costs more in copies than it saves."
)
_WORST = (
    "Scores of single WebP files scatter: of the 48 MP JPEG, decoded at half or at a quarter of its size and scaled by "
    "either resizer, they were 73.3 to 74.6, and naive Pillow's was 74.5. The mean tells more."
)
_COMPILING = "Two fifths of the time is compiling the dependencies, which the option `--bytecode` of packaging saves."


class Results(TypedDict, total=False):
    """What was measured, by section."""

    speed: speed.Speed
    quality: quality.Quality
    avif: dict[str, avif.Avif]
    start: start.Start


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what was measured.

    Attributes:
        text: What is compared with what.
        value: Measured; None where a peer was missing.
        bound: It must not be more than this; with `at_least`, not less.
        unit: Behind both numbers.
        digits: Shown after the point.
        at_least: Whether the bound is the least.
        reason: Why it may be missed.
    """

    text: str
    value: float | None
    bound: float
    unit: str = "×"  # noqa: RUF001 - it is meant
    digits: int = 2
    at_least: bool = False
    reason: str = ""

    @property
    def verdict(self) -> str:
        """In one or two words."""
        if self.value is None:
            return "not measured"
        return "met" if (self.value >= self.bound if self.at_least else self.value <= self.bound) else MISSED

    @property
    def wanted(self) -> str:
        """The bound, as shown."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:.{self.digits}f} {self.unit}".rstrip()

    @property
    def measured(self) -> str:
        """The value, as shown."""
        return "" if self.value is None else f"{self.value:.{self.digits}f} {self.unit}".rstrip()


def check(results: Results) -> list[Goal]:
    """All goals that the measured sections decide on."""
    goals: list[Goal] = []
    if "speed" in results:
        goals += _speed(results["speed"])
    if "quality" in results:
        goals += _quality(results["quality"])
    if "avif" in results:
        goals += [
            Goal("AVIF's bytes, relative to WebP's at equal quality", avif.mean(results["avif"], "bytes"), 0.85),
            Goal("AVIF's CPU time, relative to WebP's", avif.mean(results["avif"], "cpu"), 1.0),
        ]
    if "start" in results:
        goals += _start(results["start"])
    return goals


def plain_jpegs(result: speed.Speed) -> list[str]:
    """The JPEGs that differ in nothing but their size."""
    plain = [name for name, (kind, _) in result["originals"].items() if kind == "jpeg"]
    return [name for name in plain if name.endswith(("MP", "JPEG"))]


def _speed(result: speed.Speed) -> Iterator[Goal]:
    jpegs = plain_jpegs(result)
    pngs = [name for name, (kind, _) in result["originals"].items() if kind == "png"]
    best = SIMD if any(SIMD in peers for peers in result["measured"].values()) else DARKROOM
    for text, value, bound in (
        (f"CPU time of {best}, relative to {DOCUMENTED}", speed.ratio(result, jpegs, best), 0.5),
        (f"{best}, relative to {CASCADE}", speed.ratio(result, jpegs, best, CASCADE), 0.8),
        (f"{DARKROOM} (stock wheel), relative to {CASCADE}", speed.ratio(result, jpegs, DARKROOM, CASCADE), 1.0),
    ):
        yield Goal(f"JPEG: {text}", value, bound, reason=_CODECS)
    ratio = speed.ratio(result, pngs, best, CASCADE)
    yield Goal(f"PNG: {best}, relative to {CASCADE}", ratio, 1.0, reason=_PNG)
    largest = max(jpegs, key=lambda name: result["originals"][name][1])
    peers = result["measured"][largest]
    memory = peers[DARKROOM]["peak"] / peers[DOCUMENTED]["peak"] if DOCUMENTED in peers else None
    yield Goal(f"{largest}: peak memory, relative to {DOCUMENTED}", memory, 0.6)
    highest = max(peers[one]["peak"] for peers in result["measured"].values() for one in (DARKROOM, best))
    yield Goal("Peak memory on any of these originals", highest, 350, "MB", 0)


def _quality(result: quality.Quality) -> Iterator[Goal]:
    peers = next(iter(next(iter(result.values())).values())).keys()
    for peer in (DARKROOM, SIMD):
        if peer in peers:
            differences = quality.differences(result, peer)
            text = f"SSIMULACRA2 of {peer} beside naive Pillow's"
            yield Goal(f"{text}, mean of all files", fmean(differences), -0.5, "points", at_least=True)
            yield Goal(f"{text}, the worst file", min(differences), -0.5, "points", at_least=True, reason=_WORST)
            yield Goal(
                f"Bytes of {peer}, relative to naive Pillow's", quality.bytes_ratio(result, peer), 1.02, digits=3
            )


def _start(result: start.Start) -> Iterator[Goal]:
    parts = result["parts"]
    source, bytecode = (parts[start.FUNCTION][kind] for kind in ("source", "bytecode"))
    full = parts[start.STACK_AND_CLIENTS]
    yield Goal(
        "Start: the function, relative to all of Powertools with the same clients",
        source / full["source"],
        0.6,
        reason=_COMPILING,
    )
    yield Goal("The same, both from bytecode", bytecode / full["bytecode"], 0.6)
    for kind, how in (("source", "plain"), ("bytecode", "with bytecode")):
        yield Goal(f"process_image's zip, {how}", result["zips"][kind] / 1e6, 8, "MB")
