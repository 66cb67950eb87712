"""Tools around the product: README.md lists the entry points, the packages hold what they use."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
