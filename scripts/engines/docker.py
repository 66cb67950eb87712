"""LocalStack by docker compose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import IO, TYPE_CHECKING

from scripts import ROOT
from scripts.engines.localstack import ANSWER_SECONDS, LocalStack, Way, ask, url
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from pathlib import Path


def missing_docker() -> str | None:
    """Return why docker compose cannot be used here; None if it can."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for command, problem in (
        (("docker", "version", "--format", "{{.Server.Version}}"), "no Docker engine answers"),
        (("docker", "compose", "version"), "docker has no compose"),
    ):
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=ANSWER_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return problem
    return None


def projects(name: str) -> list[str]:
    """Return the docker compose projects whose names begin so, running or not."""
    listed = subprocess.run(
        ["docker", "compose", "ls", "--all", "--format", "json"], capture_output=True, text=True, check=True
    )
    return [project["Name"] for project in json.loads(listed.stdout) if project["Name"].startswith(name)]


class Compose:
    """LocalStack in a container, as one project of docker compose."""

    def __init__(self, project: str, port: int, log: Path) -> None:
        """Describe it, without starting it.

        Args:
            project: Keeps several apart.
            port: On the loopback address.
            log: Gets its log when it ends.
        """
        file = ROOT / "docker-compose.yml"
        self._command = ("docker", "compose", "--ansi", "never", "--project-name", project, "--file", str(file))
        self._environment = {**os.environ, "LOCALSTACK_PORT": str(port)}
        self._endpoint, self._log = url(port), log

    def up(self) -> LocalStack:
        """Start it, unless it is up, and wait until it is healthy.

        Raises:
            ToolError: It does not start.
        """
        failed = self._run("up", "--wait", "--quiet-pull")
        health = ask(self._endpoint, "health")
        if failed or health is None:
            self._keep_log()
            raise ToolError(
                f"docker compose could not start LocalStack, see above and {self._log}. "
                "Where its image cannot be pulled, LOCALSTACK=pip needs none."
            )
        return LocalStack(Way.DOCKER, self._endpoint, health["version"])

    def down(self) -> None:
        """Stop it, and remove its data except the log."""
        self._keep_log()
        self._run("down", "--volumes", "--remove-orphans")

    def logs(self) -> None:
        """Show its log, as it grows."""
        self._run("logs", "--follow")

    @property
    def is_up(self) -> bool:
        """True if the project runs."""
        listed = subprocess.run(
            [*self._command, "ps", "--quiet"], env=self._environment, capture_output=True, text=True, check=False
        )
        return bool(listed.stdout.strip())

    def _keep_log(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("w") as log:
            self._run("logs", "--no-color", "--no-log-prefix", output=log)

    def _run(self, *arguments: str, output: IO[str] | None = None) -> int:
        return subprocess.run(
            [*self._command, *arguments], env=self._environment, stdout=output, stdin=subprocess.DEVNULL, check=False
        ).returncode
