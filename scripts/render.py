"""Render image files as the function process_image does, to test variants, or to see how a file is processed."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, fields
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from process_image.image import (
    InvalidVariantError,
    Limits,
    RejectedImageError,
    Rendering,
    TooManyBytesError,
    Variant,
    render,
)
from process_image.isolation import Budget, RenderingFailedError, run
from process_image.measures import Stopwatch
from scripts.process.entry_point import FAILED, entry_point, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

LIMITS = {field.name: kind for kind in (Limits, Budget) for field in fields(kind)}

EPILOG = """\
The file of variants is JSON: a list as in Terraform's variable `variants`, or an object with that list under
`variants`, such as a terraform.tfvars.json. Paths of watermark images are relative to it.

Each derivative is written to DIR/<name of the input>/<variant>.<extension>. In a folder every file is taken,
with any name that does not begin with a dot.

With --json, each file is one line: input, status (processed, rejected, error), reason (code and message of a
rejection, message of an error), seconds, cpu_seconds, peak_rss_mb, stages (seconds for look, decode, scale,
encode), original (bytes, width, height, format), and variants (name, path, width, height, bytes, content_type).

examples:
  render.py photo.jpg --variants variants.json --out build/try
  render.py photos/ --variants terraform/terraform.tfvars.json --json
  render.py huge.png --variants variants.json --limit max_pixels=100000000 --limit max_memory=1024

exit status: 0 all processed or rejected, 1 an error, 2 wrong usage, 130 interrupted
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to render: where it is, and what its derivatives' folder is called."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Task:
    """Work for each file."""

    variants: tuple[Variant, ...]
    out: Path | None
    limits: Limits
    budget: Budget

    def __call__(self, source: Source) -> dict[str, Any]:
        """Render one file, and return the data of its line."""
        line: dict[str, Any] = {"input": str(source.path), "status": "processed", "reason": None}
        try:
            size = source.path.stat().st_size
            data = source.path.read_bytes() if size <= self.limits.max_bytes else b""
            finished = run(lambda: self._render(data, size), self.budget)
            line |= {
                "seconds": round(finished.seconds, 4),
                "cpu_seconds": round(finished.cpu_seconds, 4),
                "peak_rss_mb": round(finished.peak_rss, 1),
            }
            rendering, stages = finished.result()
            original = rendering.original
            line |= {
                "stages": stages,
                "original": {name: getattr(original, name) for name in ("bytes", "width", "height", "format")},
                "variants": [*self._store(source, rendering)],
            }
        except RejectedImageError as rejection:
            line |= {"status": "rejected", "reason": {"code": rejection.code, "message": str(rejection)}}
        except (RenderingFailedError, OSError) as error:
            line |= {"status": "error", "reason": {"message": str(error)}}
        return line

    def _render(self, data: bytes, size: int) -> tuple[Rendering, dict[str, float]]:
        if size > self.limits.max_bytes:
            raise TooManyBytesError(size, self.limits.max_bytes)
        stopwatch = Stopwatch()
        rendering = render(data, self.variants, self.limits, stopwatch.begin)
        return rendering, {stage: round(seconds, 4) for stage, seconds in stopwatch.stop().items()}

    def _store(self, source: Source, rendering: Rendering) -> Iterator[dict[str, Any]]:
        for variant, derivative in zip(self.variants, rendering.derivatives, strict=True):
            path = None
            if self.out:
                path = self.out / source.name / f"{variant.name}.{variant.extension}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(derivative.data)
            yield {
                "name": variant.name,
                "path": path and str(path),
                "width": derivative.width,
                "height": derivative.height,
                "bytes": len(derivative.data),
                "content_type": derivative.content_type,
            }


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", nargs="+", type=Path, metavar="INPUT", help="an image file, or a folder of them")
    parser.add_argument("--variants", type=Path, required=True, metavar="FILE", help="variants, as JSON")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the derivatives; without it, none are written"
    )
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each file")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"another limit than the pipeline's: {', '.join(LIMITS)}",
    )
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, metavar="N", help="files at once; default: %(default)s"
    )
    options = parser.parse_args(arguments)
    try:
        limits, budget = read_limits(options.limit)
        task = Task(read_variants(options.variants), options.out, limits, budget)
        sources = collect(options.input)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    failed = work(task, sources, options.jobs, as_json=options.json)
    return FAILED if failed else 0


def read_limits(given: Sequence[str]) -> tuple[Limits, Budget]:
    """Return the pipeline's limits with the values given as NAME=NUMBER.

    Raises:
        ValueError: There is no such limit, or the value is not valid.
    """
    chosen: dict[type, dict[str, int]] = {Limits: {}, Budget: {}}
    for text in given:
        name, _, number = text.partition("=")
        if name not in LIMITS or not number.isdecimal():
            raise ValueError(f"--limit {text}: it is NAME=NUMBER, with one of {', '.join(LIMITS)}")
        chosen[LIMITS[name]][name] = int(number)
    return Limits(**chosen[Limits]), Budget(**chosen[Budget])


def read_variants(path: Path) -> tuple[Variant, ...]:
    """Return the variants in a file, with the bytes of their watermark images.

    Raises:
        ValueError: The file has no variants, or invalid ones.
        OSError: The file or a watermark image cannot be read.
    """
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if isinstance(described, dict):
        described = described.get("variants")
    if not isinstance(described, list) or not described or not all(isinstance(one, dict) for one in described):
        raise ValueError(f"{path} holds no list of variants")
    variants = []
    for mapping in described:
        watermark = mapping.get("watermark")
        if isinstance(watermark, dict) and isinstance(watermark.get("image"), str):
            image = (path.parent / watermark["image"]).read_bytes()
            mapping = {**mapping, "watermark": {**watermark, "image": image}}  # noqa: PLW2901
        try:
            variants.append(Variant.from_mapping(mapping))
        except InvalidVariantError as error:
            raise ValueError(f"{path}: {error}") from error
    if len({variant.name for variant in variants}) < len(variants):
        raise ValueError(f"{path}: two variants have the same name")
    return tuple(variants)


def collect(paths: Sequence[Path]) -> list[Source]:
    """Return all files among the paths and in their folders, in order.

    Raises:
        ValueError: There is no file, a path does not exist, or two files would be written to the same folder.
    """
    sources: list[Source] = []
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("[!.]*") if file.is_file())
            sources += [Source(file, file.relative_to(path).as_posix()) for file in found]
        elif path.exists():
            sources.append(Source(path, path.name))
        else:
            raise ValueError(f"{path} does not exist")
    if not sources:
        raise ValueError("there is no file in the given paths")
    names: dict[str, Path] = {}
    for source in sources:
        if source.name in names:
            raise ValueError(f"{names[source.name]} and {source.path} would both be written to {source.name}")
        names[source.name] = source.path
    return sources


def work(task: Task, sources: Sequence[Source], jobs: int, *, as_json: bool) -> int:
    """Render the files, print their lines as they come, and return how many could not be read or failed."""
    workers = [Worker(task, sources[number::jobs]) for number in range(min(jobs, len(sources)))]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            lines = progress.track(_lines(workers), total=len(sources), description="rendering")
            return len(sources) - sum(_show(line, as_json=as_json) for line in lines)
    finally:
        for worker in workers:
            worker.end()


class Worker:
    """A process that renders some of the files and sends a line for each.

    It leads its own process group: only its parent gets Ctrl-C, and then ends the whole group, including the
    process of the image among them.
    """

    def __init__(self, task: Task, sources: Sequence[Source]) -> None:
        context = multiprocessing.get_context("fork")
        self.lines, sending = context.Pipe(duplex=False)
        self.process = context.Process(target=self._work, args=(task, sources, sending))
        self.process.start()
        _lead_a_group(self.process.pid)  # before anyone ends it, as it does before it starts others
        sending.close()

    def end(self) -> None:
        """End it and all that it started, finished or not."""
        with suppress(ProcessLookupError):
            os.killpg(cast("int", self.process.pid), signal.SIGKILL)
        self.process.join()

    @staticmethod
    def _work(task: Task, sources: Sequence[Source], sending: Connection) -> None:
        _lead_a_group()
        starter = os.getppid()
        for source in sources:
            if os.getppid() != starter:  # it was killed, so no process reads the results
                break
            sending.send(task(source))


def _lead_a_group(process: int | None = None) -> None:
    with suppress(ProcessLookupError):  # it has ended already
        os.setpgid(process or 0, 0)


def _lines(workers: Sequence[Worker]) -> Iterator[dict[str, Any]]:
    """Yield the results of the workers as they arrive."""
    left = [worker.lines for worker in workers]
    while left:
        for ready in wait(left):
            try:
                yield cast("Connection", ready).recv()
            except EOFError:
                left.remove(cast("Connection", ready))


def _show(line: dict[str, Any], *, as_json: bool) -> bool:
    print(json.dumps(line) if as_json else describe(line), flush=True)
    return bool(line["status"] != "error")


def describe(line: dict[str, Any]) -> str:
    """Return a readable line: the outcome of a file, and the reason."""
    if line["status"] == "processed":
        details = ", ".join(
            f"{one['name']} {one['width']} x {one['height']} {one['bytes']:,} B" for one in line["variants"]
        )
    else:
        details = line["reason"].get("code", "") + " " + line["reason"]["message"].strip().rpartition("\n")[2]
    return printable(f"{line['status']:<9} {line.get('seconds', 0):6.2f} s  {line['input']}: {details.strip()}")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
