"""Write the schemas of types and values that the checks read into `scripts/aws_checks/`.

They come from the packages in `requirements/schemas.txt`, 80 MB together. The checks read 130 kB of them, so the
extract is in the repository and the packages are not installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zipfile import ZipFile

from scripts import ROOT
from scripts.aws_checks import provider6, values
from scripts.aws_checks.cloudformation_schemas import read_limits
from scripts.aws_checks.provider_schemas import provider_version, read_schemas
from scripts.process.entry_point import ToolError, entry_point

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIREMENTS = ROOT / "requirements" / "schemas.txt"


def download(folder: Path) -> dict[str, Path]:
    """Download the packages; return their wheels by name.

    Raises:
        ToolError: A package cannot be downloaded.
    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder)]
    if subprocess.run([*pip, *options, "--requirement", str(REQUIREMENTS)], check=False).returncode:
        raise ToolError(f"The packages of {REQUIREMENTS.relative_to(ROOT)} could not be downloaded: see above.")
    return {wheel.name.split("-")[0]: wheel for wheel in folder.glob("*.whl")}


def write(file: Path, source: Mapping[str, str], types: Mapping[str, object]) -> None:
    """Write an extract, one line for each type, so that a diff shows the types that changed."""
    lines = [f"{json.dumps(name)}: {json.dumps(one, sort_keys=True)}" for name, one in sorted(types.items())]
    file.write_text(f'{{"source": {json.dumps(source)}, "types": {{\n' + ",\n".join(lines) + "\n}}\n")
    print(f"{file.relative_to(ROOT)}: {len(types)} types, {file.stat().st_size // 1000} kB")


@entry_point
def main() -> int:
    """Download the packages and write both extracts."""
    argparse.ArgumentParser(description="Write the schemas that the checks compare Terraform's code with.").parse_args()
    with TemporaryDirectory() as folder:
        wheels = download(Path(folder))
        source = {name: wheel.name.split("-")[1] for name, wheel in sorted(wheels.items())}
        with (
            ZipFile(wheels["cdktf_cdktf_provider_aws"]) as cdktf,
            ZipFile(wheels["pulumi_aws"]) as pulumi,
            ZipFile(wheels["cfn_lint"]) as cfn_lint,
        ):
            used = set().union(*map(provider6.used_types, provider6.code().values()))
            schemas = read_schemas(used, cdktf, pulumi)
            limits = read_limits({one.type for one in values.COUNTERPARTS.values()}, cfn_lint)
            version = provider_version(cdktf)
        limited = source.pop("cfn_lint")
        write(provider6.FILE, {"provider": version, **source}, schemas)
        write(values.FILE, {"cfn_lint": limited}, limits)
    return 0


if __name__ == "__main__":
    sys.exit(main())
