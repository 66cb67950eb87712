"""The real function: fetched, packaged, unpacked, and run with only what Lambda adds."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import ROOT
from scripts.artifacts.manifest import read
from scripts.artifacts.targets import local_target

MACHINES = {"arm64": 183, "x86_64": 62}
"""Number of each CPU in ELF."""

MAX_SIZE = 8_000_000

IN_THE_RUNTIME = ("boto3", "botocore", "dateutil", "s3transfer", "six.py", "urllib3")
"""Packages in Lambda's Python. It also has jmespath, but that is in the zip."""

PROGRAM = """
import io, json, pkgutil, sys

unpacked, runtime = sys.argv[1:]
sys.path[:0] = [unpacked, runtime]

from PIL import Image
from process_image.image import Limits, Variant, render

picture = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
formats = {}
for kind in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
    buffer = io.BytesIO()
    picture.save(buffer, kind, exif=Image.Exif())
    variants = [
        Variant.from_mapping({
            "name": output, "width": 200, "height": 200, "fit": "cover", "format": output,
            "watermark": {"text": "Darkroom", "opacity": 0.5},
        })
        for output in ("jpeg", "png", "webp", "avif")
    ]
    rendering = render(buffer.getvalue(), variants, Limits(max_bytes=10**7, max_pixels=10**7))
    formats[kind] = [
        (one.variant, Image.open(io.BytesIO(one.data)).format, one.width, one.height)
        for one in rendering.derivatives
    ]

import process_image

for module in pkgutil.walk_packages(process_image.__path__, "process_image."):
    __import__(module.name)

from process_image.entry import handler

class Context:
    function_name = function_version = memory_limit_in_mb = invoked_function_arn = aws_request_id = "1"

    def get_remaining_time_in_millis(self):
        return 60_000

message = {
    "messageId": "m", "body": "no event", "receiptHandle": "", "attributes": {}, "messageAttributes": {},
    "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:uploads",
}
answer = handler({"Records": [message]}, Context())

from importlib.metadata import version

print(json.dumps({
    "formats": formats,
    "answer": answer,
    "pillow": version("pillow"),
    "strangers": sorted({
        path for name, module in sys.modules.items()
        if (path := getattr(module, "__file__", None)) and "site-packages" in path
    }),
    "imported": sorted(name for name in sys.modules if name.partition(".")[0] == "process_image"),
}))
"""

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
    "VARIANTS": json.dumps([{"name": "small", "width": 100, "format": "jpeg"}]),
    "POWERTOOLS_SERVICE_NAME": "process_image",
    "POWERTOOLS_METRICS_NAMESPACE": "darkroom",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Package the function for Lambda and for this machine."""
    return package(tmp_path_factory.mktemp("build"), "--arch", "arm64", "x86_64", "--local")


def package(output: Path, *options: str) -> Path:
    """Run the command as a user does."""
    command = [sys.executable, str(ROOT / "scripts" / "package_lambdas.py"), "process_image", "--output", str(output)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


def test_function_runs_from_the_zip(built: Path, tmp_path: Path) -> None:
    run_from_the_zip(built, tmp_path)


def test_function_runs_from_bytecode(tmp_path: Path) -> None:
    run_from_the_zip(package(tmp_path / "build", "--local", "--bytecode"), tmp_path)


def run_from_the_zip(built: Path, tmp_path: Path) -> None:
    unpacked, runtime = tmp_path / "task", tmp_path / "runtime"
    artifact = read(built)[local_target().artifact("process_image")]
    assert artifact["size"] <= MAX_SIZE
    with zipfile.ZipFile(built / artifact["path"]) as archive:
        archive.extractall(unpacked)
    runtime.mkdir()
    for name in IN_THE_RUNTIME:
        place = metadata.distribution("boto3").locate_file(name)
        (runtime / name).symlink_to(Path(str(place)))
    done = subprocess.run(
        # Without site-packages and the user's environment; it writes no bytecode.
        [sys.executable, "-E", "-S", "-B", "-c", PROGRAM, str(unpacked), str(runtime)],
        env=ENVIRONMENT,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    expected = [["jpeg", "JPEG", 200, 200], ["png", "PNG", 200, 200], ["webp", "WEBP", 200, 200]]
    expected += [["avif", "AVIF", 200, 200]]
    assert found["formats"] == dict.fromkeys(("JPEG", "PNG", "WEBP", "GIF", "AVIF"), expected)
    assert found["answer"] == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert found["strangers"] == []
    assert "process_image.entry" in found["imported"]
    lock = (ROOT / "lambdas/process_image/requirements.txt").read_text()
    assert f"pillow=={found['pillow']} " in lock


@pytest.mark.parametrize("architecture", MACHINES)
def test_zip_holds_what_the_target_needs(built: Path, architecture: str) -> None:
    artifact = read(built)[f"process_image-{architecture}-python3.13"]
    assert artifact["size"] <= MAX_SIZE
    with zipfile.ZipFile(built / artifact["path"]) as archive:
        names = archive.namelist()
        libraries = [name for name in names if ".so" in name]
        machines = {struct.unpack_from("<H", archive.read(name), 18)[0] for name in libraries}
    assert any("cpython-313" in name for name in libraries)
    assert machines == {MACHINES[architecture]}
    readers = {name.removeprefix("PIL/").removesuffix("ImagePlugin.py") for name in names if "ImagePlugin" in name}
    assert readers == {"Avif", "Gif", "Jpeg", "Mpo", "Png", "Tiff", "WebP"}
    text = (built / artifact["sbom"]).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    lock = (ROOT / "lambdas/process_image/requirements.txt").read_text()
    locked = {line.split(" ")[0] for line in lock.splitlines() if "==" in line}
    assert {f"{one['name']}=={one['version']}" for one in components} == locked
    assert all(one["licenses"] for one in components)
