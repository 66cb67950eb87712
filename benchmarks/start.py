"""Costs of a cold start before the first image: CPU time and memory to import, and to be ready.

Every figure comes from new processes that only see a folder of packages and boto3's, as in Lambda. The function itself
is imported from its zips, unpacked as in Lambda.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypedDict

from benchmarks.peers import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STACK = "all of Powertools' parts above and boto3"
STACK_AND_CLIENTS = "the same with both clients"
CORE = "process_image.image"
FUNCTION = "process_image.entry with both clients"

_POWERTOOLS = "from aws_lambda_powertools import"
_UTILITIES = "from aws_lambda_powertools.utilities"
_LOGGER = f"{_POWERTOOLS} Logger; Logger()"
_METRICS = f"{_POWERTOOLS} Metrics; Metrics()"
_TRACER = f"{_POWERTOOLS} Tracer; Tracer()"
_BATCH = f"{_UTILITIES}.batch import BatchProcessor, EventType; BatchProcessor(event_type=EventType.SQS)"
_IDEMPOTENCY = f"{_UTILITIES}.idempotency import DynamoDBPersistenceLayer; DynamoDBPersistenceLayer(table_name='t')"
_PARSER = f"{_UTILITIES}.parser import BaseModel, parse"
_BOTO3 = "import boto3"
_S3, _EVENTS = "boto3.client('s3')", "boto3.client('events')"
_STACK = "; ".join((_BOTO3, _LOGGER, _METRICS, _TRACER, _IDEMPOTENCY, _BATCH, _PARSER))  # noqa: FLY002 - a list
_PLUGINS = ", ".join(f"{kind}ImagePlugin" for kind in ("Avif", "Gif", "Jpeg", "Png", "WebP"))


@dataclass(frozen=True, slots=True)
class Part:
    """An import: a statement, and the statements before it."""

    name: str
    statement: str
    before: str = ""


PARTS = (
    Part("Pillow with the five formats' plugins", f"from PIL import Image, {_PLUGINS}"),
    Part("boto3", _BOTO3),
    Part("its first client, S3", _S3, _BOTO3),
    Part("its second client, EventBridge", _EVENTS, f"{_BOTO3}; {_S3}"),
    Part("Powertools Logger", _LOGGER),
    Part("Powertools Metrics", _METRICS),
    Part("Powertools Batch", _BATCH),
    Part("Powertools Parser", _PARSER),
    Part("Powertools Tracer", _TRACER),
    Part("Powertools Idempotency", _IDEMPOTENCY),
    Part(STACK, _STACK),
    Part(STACK_AND_CLIENTS, f"{_STACK}; {_S3}; {_EVENTS}"),
)
FUNCTION_PARTS = (
    Part(CORE, "import process_image.image"),
    Part(FUNCTION, "import process_image.entry"),
)

PROGRAM = """
import resource, sys

def peak():
    # In MB. The kernel's ru_maxrss starts with the parent's value.
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1000
    except FileNotFoundError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6

before, statement, *paths = sys.argv[1:]
sys.path[:0] = paths
exec(before)
before_it = peak()
started = resource.getrusage(resource.RUSAGE_SELF)
exec(statement)
ended = resource.getrusage(resource.RUSAGE_SELF)
print(ended.ru_utime + ended.ru_stime - started.ru_utime - started.ru_stime, peak() - before_it)
"""

# Packages of Lambda's Python, assumed to have bytecode. It also has jmespath, but the zip's comes first.
RUNTIME = ("boto3", "botocore", "dateutil", "s3transfer", "six.py", "urllib3")

ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "EVENT_BUS": "bus",
    "LOG_LEVEL": "INFO",
    "PROCESSED_BUCKET": "processed",
    **{f"MAX_{limit}": "10000000" for limit in ("BYTES", "FRAMES", "METADATA_BYTES", "PIXELS", "SCAN_MEGAPIXELS")},
    "MAX_MEMORY": "512",
    "MAX_SECONDS": "10",
    "VARIANTS": json.dumps([{"name": "small", "width": 100}]),
    "POWERTOOLS_SERVICE_NAME": "process_image",
    "POWERTOOLS_METRICS_NAMESPACE": "darkroom",
}


class Cost(TypedDict):
    """Median CPU time in milliseconds, with bytecode of all but the runtime's packages and without, and MB more."""

    bytecode: float
    source: float
    memory: float


class Start(TypedDict):
    """The result.

    Attributes:
        parts: Cost of each part.
        zips: Bytes of the function's zip: as it is deployed by default (`source`), with bytecode (`bytecode`), and
            with the part simd (`simd`), where that can be had.
    """

    parts: dict[str, Cost]
    zips: dict[str, int]


def measure(rounds: int, folder: Path, progress: Callable[[str], None]) -> Start:
    """Import everything, in turns."""
    packages = Path(sysconfig.get_path("purelib"))
    bare = _without_bytecode(packages, folder / "bare")
    runtime = folder / "runtime"
    runtime.mkdir(parents=True)
    for name in RUNTIME:
        (runtime / name).symlink_to(packages / name)
    zips, unpacked = {}, {}
    for kind, options in (("source", ()), ("bytecode", ("--bytecode",))):
        progress(f"packaging process_image {' '.join(options)}")
        zips[kind], unpacked[kind] = _packaged(ROOT / "lambdas", folder / kind, options)
    if platform.machine() in ("x86_64", "AMD64"):  # the part has no other wheels
        progress("packaging process_image with the part simd")
        zips["simd"], _ = _packaged(_with_simd(folder / "lambdas"), folder / "simd", ())
    paths = {
        "source": ([runtime, bare], [unpacked["source"], runtime]),
        "bytecode": ([runtime, packages], [unpacked["bytecode"], runtime]),
    }
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for turn in range(rounds):
        progress(f"round {turn + 1} of {rounds}")
        for kind, (of_parts, of_function) in paths.items():
            for parts, where in ((PARTS, of_parts), (FUNCTION_PARTS, of_function)):
                for part in parts:
                    times.setdefault((part.name, kind), []).append(_cost(part, where))
    return {
        "parts": {
            part.name: {
                "bytecode": median(cpu for cpu, _ in times[part.name, "bytecode"]) * 1000,
                "source": median(cpu for cpu, _ in times[part.name, "source"]) * 1000,
                "memory": median(memory for _, memory in times[part.name, "bytecode"]),
            }
            for part in (*PARTS, *FUNCTION_PARTS)
        },
        "zips": zips,
    }


def _cost(part: Part, paths: Sequence[Path]) -> tuple[float, float]:
    """Return the CPU seconds and MB of a part, in a new process that neither uses nor leaves bytecode elsewhere."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, part.before, part.statement, *map(str, paths)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    cpu, memory = map(float, done.stdout.split())
    return cpu, memory


def _without_bytecode(packages: Path, copy: Path) -> Path:
    """Copy installed packages, except for bytecode and the large ones that no part imports."""
    unwanted = shutil.ignore_patterns("__pycache__", "numpy*", "scipy*", "pip", "pyvips*", "_libvips*")
    shutil.copytree(packages, copy, ignore=unwanted, symlinks=True)
    return copy


def _with_simd(source: Path) -> Path:
    """Return a copy of the functions whose package.toml asks for the part simd."""
    shutil.copytree(ROOT / "lambdas", source, ignore=shutil.ignore_patterns("__pycache__"))
    settings = source / "process_image" / "package.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r"(?m)^parts = .*$", 'parts = ["simd"]', text), encoding="utf-8")
    return source


def _packaged(source: Path, folder: Path, options: Sequence[str]) -> tuple[int, Path]:
    """Package the function for this machine; return the zip's size and the folder that holds its files."""
    script = ROOT / "scripts" / "package_lambdas.py"
    places = ("--source", str(source), "--output", str(folder))
    command = [sys.executable, str(script), "process_image", "--local", *places, *options]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (archive,) = folder.rglob("*.zip")
    unpacked = folder / "task"
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    return archive.stat().st_size, unpacked
