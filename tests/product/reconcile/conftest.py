from __future__ import annotations

from tests.product.cli.pipeline import aws, resources, session

__all__ = ["aws", "resources", "session"]  # fixtures that the command's tests share
