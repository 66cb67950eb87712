"""The bill of materials of a zip: CycloneDX, and the same bytes for the same zip."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import Message

    from cyclonedx.model.license import License

    from scripts.artifacts.functions import Function
    from scripts.artifacts.targets import Target
    from scripts.artifacts.wheels import Wheel

_LONGEST_LICENSE_NAME = 100  # some packages put the whole text where the name belongs


def bill_of_materials(function: Function, target: Target, zip_sha256: str, wheels: Sequence[Wheel]) -> str:
    """Write what a zip consists of as CycloneDX 1.6 in JSON.

    The serial number follows from the zip's bytes, and there is no time in it.
    """
    root = Component(
        name=function.name,
        type=ComponentType.APPLICATION,
        bom_ref=function.name,
        hashes=[_sha256(zip_sha256)],
        properties=[
            Property(name="darkroom:architecture", value=target.architecture),
            Property(name="darkroom:runtime", value=target.runtime),
        ],
    )
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"sha256:{zip_sha256}"),
        metadata=BomMetaData(component=root),
        components=[_component(wheel) for wheel in wheels],
    )
    bom.register_dependency(root, bom.components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _component(wheel: Wheel) -> Component:
    with zipfile.ZipFile(wheel.path) as archive:
        names = archive.namelist()
        metadata_path = next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        metadata = HeaderParser().parsestr(archive.read(metadata_path).decode())
        statements = {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in names
            if re.fullmatch(r"[^/]+\.dist-info/sboms/[^/]+", name)
        }
    purl = PackageURL(type="pypi", name=wheel.pin.name, version=wheel.pin.version)
    return Component(
        name=wheel.pin.name,
        version=wheel.pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        description=metadata.get("Summary"),
        hashes=[_sha256(wheel.sha256)],
        licenses=_licenses(metadata),
        properties=[Property(name="darkroom:wheel", value=wheel.path.name)],
        # What the maker says of the libraries inside is in the zip, and only referred to: it also lists
        # libraries that a build may use and this wheel does not hold.
        external_references=[
            ExternalReference(type=ExternalReferenceType.BOM, url=XsUri(name), hashes=[_sha256(digest)])
            for name, digest in statements.items()
        ],
    )


def _licenses(metadata: Message) -> list[License]:
    """The licence as the package states it: as an SPDX expression, a name, or trove classifiers."""
    stated = metadata.get("License-Expression") or metadata.get("License", "")
    if stated and stated != "UNKNOWN" and "\n" not in stated and len(stated) <= _LONGEST_LICENSE_NAME:
        return [LicenseFactory().make_from_string(stated)]
    classifiers = metadata.get_all("Classifier", [])
    names = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    return [DisjunctiveLicense(name=name) for name in names]


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
