"""Goals of the benchmark, and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, geometric_mean
from typing import TYPE_CHECKING, TypedDict

from benchmarks import avif, memory, quality, speed, stages, start
from benchmarks.peers import CASCADE, DARKROOM, DOCUMENTED, SIMD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


MISSED = "**not met**"

_VISIBLE = -0.5  # points of SSIMULACRA2: less of a loss is not seen

# Why a goal is missed, where figures of the run do not say it.
_PNG = (
    "Pillow's decoder undoes a PNG's filters byte by byte; "
    "[decision 13](decisions/0013-pillow-s-png-decoder.md) lists the alternatives."
)


_COPIES = f"{SIMD} gets its pixels as bytes and copies them, which briefly takes twice the picture's memory."


class Results(TypedDict, total=False):
    """Measured results, by section."""

    speed: speed.Speed
    quality: quality.Quality
    memory: memory.Memory
    stages: dict[str, stages.Stages]
    avif: dict[str, avif.Avif]
    start: start.Start


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what was measured.

    Attributes:
        text: Compared values.
        value: Measured; None where a peer was missing.
        bound: It must not be more than this; with `at_least`, not less.
        unit: Behind both numbers.
        digits: Shown after the point.
        at_least: Whether the bound is the least.
        reason: Reason why the goal may be missed.
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
    """Return the goals of the measured sections."""
    goals: list[Goal] = []
    if "speed" in results:
        goals += _speed(results["speed"], results.get("stages", {}))
    if "memory" in results:
        goals += _memory(results["memory"])
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
    """Return the JPEGs that only differ in size."""
    plain = [name for name, (kind, _) in result["originals"].items() if kind == "jpeg"]
    return [name for name in plain if name.endswith(("MP", "JPEG"))]


def floor(stages: Mapping[str, stages.Stages], names: Iterable[str]) -> float | None:
    """Return the share of decoder and encoders in Darkroom's time, as the geometric mean; None if not measured."""
    shares = [(one["decode"] + one["encode"]) / one["all"] for name, one in stages.items() if name in set(names)]
    return geometric_mean(shares) if shares else None


def _speed(result: speed.Speed, stages: Mapping[str, stages.Stages]) -> Iterator[Goal]:
    jpegs = plain_jpegs(result)
    pngs = [name for name, (kind, _) in result["originals"].items() if kind == "png"]
    present = _present(next(iter(result["measured"].values())))
    for kind, names, wanted in (
        ("JPEG", jpegs, ((DOCUMENTED, 0.5), (CASCADE, 0.8))),
        ("PNG", pngs, ((CASCADE, 1.0),)),
    ):
        reason = " ".join(filter(None, (_codecs(kind, floor(stages, names)), _PNG if kind == "PNG" else "")))
        for peer in present:
            for to, bound in wanted:
                yield Goal(
                    f"{kind}: {peer}, relative to {to}", speed.ratio(result, names, peer, to), bound, reason=reason
                )
    reason = _codecs("JPEG", floor(stages, jpegs))
    ratio = speed.ratio(result, jpegs, DARKROOM, CASCADE)
    yield Goal(f"JPEG: {DARKROOM}, no slower than {CASCADE}", ratio, 1.0, reason=reason)
    largest = max(jpegs, key=lambda name: result["originals"][name][1])
    peers = result["measured"][largest]
    for peer in present:
        ratio = peers[peer]["peak"] / peers[DOCUMENTED]["peak"] if DOCUMENTED in peers else None
        yield Goal(
            f"{largest}: peak memory of {peer}, relative to {DOCUMENTED}",
            ratio,
            0.6,
            reason=_COPIES if peer == SIMD else "",
        )


def _codecs(kind: str, share: float | None) -> str:
    if share is None:
        return ""
    return (
        f"{kind}: the decoder and the encoders, which Darkroom does not write, take {share:.0%} of its CPU time; "
        f"all that is its own takes {1 - share:.0%}."
    )


def _memory(result: memory.Memory) -> Iterator[Goal]:
    for peer in _present(next(iter(result.values()))):
        name = max(result, key=lambda name: result[name][peer])
        text = f"Peak memory of {peer} on 24 MP in any accepted format ({name})"
        yield Goal(text, result[name][peer], 350, "MB", 0, reason=_COPIES if peer == SIMD else "")


def _quality(result: quality.Quality) -> Iterator[Goal]:
    for peer in _present(next(iter(next(iter(result.values())).values()))):
        text = f"SSIMULACRA2 of {peer} compared with naive Pillow's"
        for derivative in next(iter(result.values())):
            differences = quality.differences(result, peer, derivative)
            yield Goal(f"{text}, mean of {derivative}", fmean(differences.values()), _VISIBLE, "points", at_least=True)
        every = {
            f"{derivative} of {name}": difference
            for derivative in next(iter(result.values()))
            for name, difference in quality.differences(result, peer, derivative).items()
        }
        worst = min(every, key=lambda name: every[name])
        below = sum(difference < _VISIBLE for difference in every.values())
        reason = f"{peer}: {below} of {len(every)} files are more than half a point worse."
        yield Goal(f"{text}, the worst: {worst}", every[worst], _VISIBLE, "points", at_least=True, reason=reason)
        yield Goal(f"Bytes of {peer}, relative to naive Pillow's", quality.bytes_ratio(result, peer), 1.02, digits=3)


def _start(result: start.Start) -> Iterator[Goal]:
    parts = result["parts"]
    source, bytecode = (parts[start.FUNCTION][kind] for kind in ("source", "bytecode"))
    full = parts[start.STACK_AND_CLIENTS]
    yield Goal(
        "Start: the function as it is deployed by default, relative to all of Powertools with the same clients",
        source / full["source"],
        0.6,
        reason=f"Compiling takes {1 - bytecode / source:.0%} of that start, which packaging with `--bytecode` saves; "
        "it is optional, because it needs the target's Python on the building machine.",
    )
    yield Goal("The same, both from bytecode (packaging with `--bytecode`)", bytecode / full["bytecode"], 0.6)
    zips = result["zips"]
    for kind, how in (("source", "as by default"), ("bytecode", "with bytecode"), ("simd", "with the part simd")):
        size = zips.get(kind)
        reason = f"It adds {(zips[kind] - zips['source']) / 1e6:.1f} MB to the default zip." if size else ""
        yield Goal(f"process_image's zip, {how}", size and size / 1e6, 8, "MB", reason=reason)


def _present(peers: Iterable[str]) -> list[str]:
    return [peer for peer in (DARKROOM, SIMD) if peer in peers]
