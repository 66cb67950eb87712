from __future__ import annotations

from tests.product.cli.pipeline import aws, resources, session

__all__ = ["aws", "resources", "session"]  # fixtures: a pipeline is the same to the command and to the function
