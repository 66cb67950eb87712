"""Photographs of real cameras and hostile files, in the folder DARKROOM_CORPUS."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from process_image.image import Limits, RejectedImageError, Variant, Watermark, render
from scripts import ROOT
from tests.support.pictures import LANCZOS, decoded, difference, reference

LIMITS = Limits(max_bytes=25_000_000, max_pixels=50_000_000)
VARIANTS = [
    Variant(name="thumb", width=256, height=256, format="png"),
    Variant(name="web", width=1024, height=1024, format="png"),
    Variant(name="marked", width=1024, height=1024, watermark=Watermark(text="© Darkroom")),
    Variant(name="card", width=300, height=200, fit="cover", format="webp"),
]
HOSTILE_VARIANTS = [
    {"name": "thumb", "width": 64, "height": 64, "watermark": {"text": "x"}},
    {"name": "card", "width": 32, "height": 32, "fit": "cover", "format": "webp"},
]
SMALL_VARIANTS = [Variant.from_mapping(one) for one in HOSTILE_VARIANTS]
RENDER = ROOT / "scripts" / "render.py"
CODES = {reason.code for reason in RejectedImageError.__subclasses__()}

# Mean and largest difference, of 255. Decoding at a reduced size is slightly visible at hard edges, and the thumbnail
# is scaled twice, unlike the reference.
WEB_TOLERANCE = (0.5, 40)
THUMB_TOLERANCE = (1.0, 40)


def assert_like_the_reference(data: bytes) -> None:
    rendering = render(data, VARIANTS, LIMITS)
    full = reference(data)
    assert (rendering.original.width, rendering.original.height) == full.size
    for derivative, (mean_tolerance, largest_tolerance) in zip(
        rendering.derivatives, (THUMB_TOLERANCE, WEB_TOLERANCE), strict=False
    ):
        picture = decoded(derivative.data)
        mean, largest = difference(picture, full.resize(picture.size, LANCZOS))
        assert mean <= mean_tolerance, derivative.variant
        assert largest <= largest_tolerance, derivative.variant
    assert not {"exif", "xmp", "icc_profile", "comment", "dpi"}.intersection(
        *(decoded(derivative.data).info for derivative in rendering.derivatives)
    )


@pytest.mark.parametrize("shape", ["landscape", "portrait"])
def test_eight_orientations(corpus: Path, shape: str) -> None:
    variants = [Variant(name="full", width=600, height=600, format="png")]
    pictures = []
    for orientation in range(1, 9):
        data = (corpus / "photos" / "orientation" / f"{shape}_{orientation}.jpg").read_bytes()
        pictures.append(decoded(render(data, variants, LIMITS).derivatives[0].data))
        assert difference(pictures[-1], reference(data)) == (0, 0)
    upright, *turned = pictures
    assert upright.size == ((600, 450) if shape == "landscape" else (450, 600))
    # Each file is compressed separately and shows its number. A wrong orientation is very different.
    assert max(difference(picture, upright)[0] for picture in turned) <= 6
    wrong = Image.Transpose.ROTATE_180, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
    assert min(difference(upright.transpose(turn), upright)[0] for turn in wrong) >= 30


def test_camera_photographs(corpus: Path) -> None:
    files = sorted((corpus / "photos" / "camera").iterdir())
    assert len(files) >= 15
    for file in files:
        assert_like_the_reference(file.read_bytes())


@pytest.mark.parametrize(
    "name",
    [
        "2569067123_aca715a2ee_o.jpg",
        "Channel_digital_image_CMYK_color.jpg",
        "Channel_digital_image_CMYK_color_no_profile.jpg",
        "Flag_of_the_Netherlands-16bit.png",
        "alpha-layer-1-fill.png",
        "alpha-premultiply-2048x1536-paper.png",
        "concert.jpg",
        "embedgravitybird.png",
        "gain-map.jpg",
        "gamma_dalai_lama_gray.jpg",
        "gradients-rgb8.png",
        "prophoto.png",
        "rotating-squares.gif",
        "rotating-squares.webp",
        "sdr_cosmos12920_cicp1-13-6_yuv444_full_qp10.avif",
        "with-alpha.png",
    ],
)
def test_special_photographs(corpus: Path, name: str) -> None:
    assert_like_the_reference((corpus / "photos" / "special" / name).read_bytes())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("IMG_5195.HEIC", "unsupported_format"),
        ("truncated.jpg", "unreadable_image"),
        ("giant-image.jpg", "too_many_pixels"),
    ],
)
def test_refused_photographs(corpus: Path, name: str, code: str) -> None:
    with pytest.raises(RejectedImageError) as caught:
        render((corpus / "photos" / "special" / name).read_bytes(), SMALL_VARIANTS, LIMITS)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("folder", "rendered", "rejected"),
    [
        ("pngsuite", {"png": 150}, {"unreadable_image": 5}),
        (
            "pillow",
            {"png": 350, "jpeg": 40, "gif": 30, "webp": 10, "avif": 10},
            {"unsupported_format": 400, "unreadable_image": 8, "too_many_pixels": 1},
        ),
    ],
)
def test_hostile_files_are_rendered_or_rejected(
    corpus: Path,
    folder: str,
    rendered: dict[str, int],
    rejected: dict[str, int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    variants = tmp_path / "variants.json"
    variants.write_text(json.dumps(HOSTILE_VARIANTS), encoding="utf-8")
    command = [sys.executable, RENDER, corpus / "hostile" / folder, "--variants", variants, "--json"]
    command += [f"--limit={name}={getattr(LIMITS, name)}" for name in ("max_bytes", "max_pixels")]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if line["status"] == "error"] == []
    assert done.returncode == 0, done.stderr
    outcomes = Counter(
        line["original"]["format"] if line["status"] == "processed" else line["reason"]["code"] for line in lines
    )
    worst = {name: max(lines, key=lambda line: line[name]) for name in ("cpu_seconds", "peak_rss_mb")}
    with capsys.disabled():
        counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        most = "; ".join(f"{name} {line[name]:g} ({Path(line['input']).name})" for name, line in worst.items())
        print(f"\n{folder}, {len(lines)} files: {counted}; at most {most}")  # noqa: T201 - for who looks at the tests
    assert worst["cpu_seconds"]["cpu_seconds"] <= 2
    assert worst["peak_rss_mb"]["peak_rss_mb"] <= 512
    assert outcomes.keys() <= CODES | {"png", "jpeg", "gif", "webp", "avif"}
    # Minimum counts, so that a missing decoder is not mistaken for a strict one.
    for outcome, at_least in (rendered | rejected).items():
        assert outcomes[outcome] >= at_least, outcome


def test_broken_files_of_pngsuite_are_rejected(corpus: Path) -> None:
    outcomes = {}
    for file in (corpus / "hostile" / "pngsuite" / "png").glob("*.png"):
        try:
            outcomes[file.name] = render(file.read_bytes(), SMALL_VARIANTS, LIMITS).original.format
        except RejectedImageError as rejection:
            outcomes[file.name] = rejection.code
    rejected = {name for name, outcome in outcomes.items() if outcome in CODES}
    broken = {name for name in outcomes if name.startswith("x")}
    # One file has only a wrong checksum of the pixels, which no decoder checks.
    assert rejected == broken - {"xcsn0g01.png"}
