"""Build hook: add to the wheel what the command shares with the functions and with Terraform."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARED = {
    "../lambdas/darkroom_shared": "darkroom_shared",
    "../lambdas/reconcile": "reconcile",
    "../terraform/prices.json": "darkroom/data/terraform/prices.json",
    "../events/object_created/example.json": "darkroom/data/events/object_created/example.json",
    "../events/image_processed/example.json": "darkroom/data/events/image_processed/example.json",
}


class SharedFiles(BuildHookInterface[Any]):
    """Adds the shared files to a wheel. An editable install reads them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files."""
        if version != "editable":
            build_data["force_include"] |= SHARED
