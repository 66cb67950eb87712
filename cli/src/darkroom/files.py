"""Files that the command shares with Terraform and with the event contracts."""

import json
from pathlib import Path
from typing import Any

_IN_WHEEL = Path(__file__).parent / "data"
_IN_REPOSITORY = Path(__file__).parents[3]  # an editable install has no copies


def read_json(path: str) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a JSON file, named by its path in the repository."""
    place = _IN_WHEEL if _IN_WHEEL.exists() else _IN_REPOSITORY
    return json.loads((place / path).read_text(encoding="utf-8"))
