"""The bill of materials of a zip: CycloneDX 1.6, with the same bytes for the same zip."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import PackageMetadata

    from scripts.artifacts.targets import Target
    from scripts.artifacts.wheels import Wheel

_LONGEST_LICENSE_NAME = 100  # some packages have the whole text in the field for the name


def bill_of_materials(function: str, target: Target, zip_sha256: str, wheels: Sequence[Wheel]) -> str:
    """Return what a zip consists of, as JSON. The serial number depends on the zip's bytes; there is no time in it."""
    components = [_component(wheel) for wheel in wheels]
    references = sorted(component["bom-ref"] for component in components)
    root: dict[str, Any] = {"ref": function} | ({"dependsOn": references} if references else {})
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, f"sha256:{zip_sha256}").urn,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": function,
                "name": function,
                "hashes": _hashes(zip_sha256),
                "properties": [
                    {"name": "darkroom:architecture", "value": target.architecture},
                    {"name": "darkroom:runtime", "value": target.runtime},
                ],
            }
        },
        "components": components,
        "dependencies": [*({"ref": reference} for reference in references), root],
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _component(wheel: Wheel) -> dict[str, Any]:
    purl = f"pkg:pypi/{wheel.name}@{wheel.version}"
    facts = {
        "type": "library",
        "bom-ref": purl,
        "purl": purl,
        "name": wheel.name,
        "version": wheel.version,
        "description": _first(wheel.distribution.metadata, "Summary"),
        "hashes": _hashes(wheel.sha256),
        "licenses": _licenses(wheel.distribution.metadata),
        "properties": [{"name": "darkroom:wheel", "value": wheel.filename}],
        # The author's bill of the libraries inside is in the zip, and only referred to: it also lists libraries that
        # a build may use and this wheel does not hold.
        "externalReferences": [
            {"type": "bom", "url": path, "hashes": _hashes(hashlib.sha256(content).hexdigest())}
            for path, content, _ in wheel.entries
            if re.fullmatch(r"[^/]+\.dist-info/sboms/[^/]+", path)
        ],
    }
    return {name: fact for name, fact in facts.items() if fact}


def _licenses(metadata: PackageMetadata) -> list[dict[str, Any]]:
    """Return the licence as the package states it: an SPDX identifier or expression, a name, or trove classifiers."""
    stated = _first(metadata, "License-Expression") or _first(metadata, "License")
    if stated and stated != "UNKNOWN" and "\n" not in stated and len(stated) <= _LONGEST_LICENSE_NAME:
        try:
            expression = canonicalize_license_expression(stated)
        except InvalidLicenseExpression:
            return [{"license": {"name": stated}}]
        is_identifier = re.fullmatch(r"(?!LicenseRef-)[\w.-]+", expression)
        return [{"license": {"id": expression}}] if is_identifier else [{"expression": expression}]
    classifiers = metadata.get_all("Classifier") or []
    names = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    return [{"license": {"name": name}} for name in sorted(names)]


def _first(metadata: PackageMetadata, field: str) -> str:
    values: list[str] = metadata.get_all(field) or [""]
    return values[0]


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]
