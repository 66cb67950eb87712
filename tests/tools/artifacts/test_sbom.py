"""The bill of materials next to each zip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

if TYPE_CHECKING:
    from tests.tools.artifacts.conftest import Workshop

KEY = "f-arm64-python3.13"


def bill(workshop: Workshop) -> dict[str, Any]:
    """Return the bill of the function f, which the strict schema accepts."""
    workshop.run("--arch", "arm64")
    text = (workshop.output / workshop.manifest()[KEY]["sbom"]).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return workshop.bill(KEY)


def test_bill_lists_what_the_zip_holds(workshop: Workshop) -> None:
    first = workshop.wheel("alpha", "1.2")
    second = workshop.wheel("Beta", "3.0", files={"beta.py": "", "Beta-3.0.dist-info/sboms/libs.cdx.json": "{}"})
    unused = workshop.wheel("gamma").replace(" --hash", " ; sys_platform == 'win32' --hash")
    workshop.function("f", first + second + unused)
    document = bill(workshop)
    alpha, beta = document["components"]
    assert (alpha["name"], alpha["version"], alpha["purl"]) == ("alpha", "1.2", "pkg:pypi/alpha@1.2")
    assert alpha["hashes"] == [{"alg": "SHA-256", "content": first.strip()[-64:]}]
    assert beta["purl"] == "pkg:pypi/beta@3.0"
    (reference,) = beta["externalReferences"]
    assert reference["type"] == "bom"
    with workshop.zip(KEY) as archive:
        assert archive.read(reference["url"]) == b"{}"
    root = document["metadata"]["component"]
    assert root["name"] == "f"
    assert root["hashes"] == [{"alg": "SHA-256", "content": workshop.manifest()[KEY]["sha256"]}]
    depends = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    assert depends["f"] == ["pkg:pypi/alpha@1.2", "pkg:pypi/beta@3.0"]
    (workshop.output / "manifest.json").unlink()
    assert bill(workshop) == document
    assert "timestamp" not in document["metadata"]


def test_bill_without_dependencies_is_valid(workshop: Workshop) -> None:
    workshop.function("f")
    assert bill(workshop)["dependencies"] == [{"ref": "f"}]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("License-Expression: MIT OR Apache-2.0\n", [{"expression": "MIT OR Apache-2.0"}]),
        ("License-Expression: LicenseRef-Own\n", [{"expression": "LicenseRef-Own"}]),
        ("License: BSD-3-Clause\n", [{"license": {"id": "BSD-3-Clause"}}]),
        ("License: Our own\n", [{"license": {"name": "Our own"}}]),
        (
            "License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n",
            [{"license": {"name": "MIT License"}}],
        ),
        (
            "License: A text\n        of many lines\nClassifier: License :: OSI Approved :: zlib License\n",
            [{"license": {"name": "zlib License"}}],
        ),
        ("", None),
    ],
)
def test_bill_has_the_stated_licence(workshop: Workshop, metadata: str, expected: list[dict[str, Any]] | None) -> None:
    workshop.function("f", workshop.wheel("alpha", metadata=metadata))
    (component,) = bill(workshop)["components"]
    assert component.get("licenses") == expected
