"""The record workflow's definition as 6_record.tf renders it, without Terraform."""

from __future__ import annotations

import json
import re
from typing import Any

import hcl2

from scripts.terraform.copy import TERRAFORM


def unquoted(value: Any) -> Any:
    """Return HCL as Python values: the parser leaves quotes around strings."""
    if isinstance(value, dict):
        return {unquoted(name): unquoted(inner) for name, inner in value.items() if not str(name).startswith("__")}
    if isinstance(value, list):
        return [unquoted(inner) for inner in value]
    return value.strip('"') if isinstance(value, str) else value


def record_tf() -> dict[str, Any]:
    with (TERRAFORM / "6_record.tf").open() as file:
        loaded: dict[str, Any] = hcl2.load(file)
    return loaded


def substitutions() -> dict[str, str]:
    """Return the values that 6_record.tf puts into the definition; names are kept."""
    (module,) = (one['"record_image"'] for one in record_tf()["module"] if '"record_image"' in one)
    call = re.sub(r"\s+", " ", module["definition"])
    values = re.fullmatch(r"\$\{templatefile\(\"\$\{path\.module\}/record_image\.asl\.json\", (\{.*\})\)\}", call)
    assert values, call
    found: dict[str, str] = {}
    for name, value in hcl2.loads(f"values = {values[1]}\n")["values"].items():
        encoded = re.fullmatch(r"\$\{jsonencode\((.*)\)\}", str(value))
        found[unquoted(name)] = (
            json.dumps(unquoted(hcl2.loads(f"value = {encoded[1]}\n")["value"])) if encoded else f"<{name}>"
        )
    return found


def rendered() -> str:
    """Return the definition with its placeholders filled in."""
    template = (TERRAFORM / "record_image.asl.json").read_text()
    values = substitutions()
    assert set(re.findall(r"\$\{([^}]*)\}", template)) == set(values), "what is left open is given, and no more"
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], template)
