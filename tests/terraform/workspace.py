"""Terraform, run on a copy of the configuration: what it leaves behind never lands in the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from scripts.terraform.copy import copy_terraform, offline_environment
from scripts.terraform.stack import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Workspace:
    """A copy of `terraform/`, with artifacts, in a folder of its own.

    Attributes:
        program: `terraform`, or `tofu`, which takes the same commands.
    """

    def __init__(self, directory: Path, program: str = "terraform") -> None:
        self.directory = directory
        self.program = program
        self.root = copy_terraform(directory)
        self._installing = Lock()
        self._environment = offline_environment(directory)

    def run(self, *arguments: str, folder: Path | None = None, **environment: str) -> tuple[bool, str]:
        """Run Terraform in a folder, or in the root; returns whether it succeeded, and what it said."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=folder or self.root,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = (
            f"$ {self.program} {' '.join(arguments)}    # in {os.path.relpath(folder or self.root, self.directory)}\n"
        )
        return done.returncode == 0, said + done.stdout

    def init(self, folder: Path | None = None) -> tuple[bool, str]:
        """Install modules and the provider, in one folder at a time: they share the folder of providers."""
        if self.program == "terraform":
            shutil.copy(LOCK, folder or self.root)  # OpenTofu has a registry of its own
        with self._installing:
            return self.run("init", "-backend=false", "-input=false", "-no-color", folder=folder)

    @contextmanager
    def provider(self, **environment: str) -> Iterator[dict[str, str]]:
        """Serve the provider until the block ends; yield the environment that makes Terraform use it.

        Otherwise Terraform starts the provider for each command and for each run of a test, which takes longer than the
        command or run itself. All that use one server at the same time must configure it equally.
        """
        installed = self.directory / "providers" / "registry.terraform.io" / "hashicorp" / "aws"
        (program,) = installed.glob("*/*/terraform-provider-aws_*")
        with subprocess.Popen(
            [str(program), "-debug"],
            env={**self._environment, **environment, "TF_LOG": "off"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            try:
                assert server.stdout is not None
                lines = map(re.compile("TF_REATTACH_PROVIDERS='(.*)'").search, server.stdout)
                yield {"TF_REATTACH_PROVIDERS": next(line for line in lines if line)[1], **environment}
            finally:
                server.send_signal(signal.SIGINT)  # so that it removes its socket

    def play(self, files: Mapping[str, str], mocks: str = "") -> dict[str, list[dict[str, Any]]]:
        """Run additional tests of the root, with the provider that its own tests mock.

        Args:
            files: Run blocks by a unique name.
            mocks: Additional mocks of the provider.

        Returns:
            Terraform's JSON messages for each file.
        """
        folder = self.root / "played"
        folder.mkdir()
        own = (self.root / "tests" / "settings.tftest.hcl").read_text().split("\nrun ")[0]
        head = own.replace('mock_provider "aws" {\n', f'mock_provider "aws" {{\n{mocks}')
        for name, runs in files.items():
            (folder / f"{name}.tftest.hcl").write_text(f"{head}\n{runs}")
        with self.provider() as served:
            _, said = self.run(
                "test", "-json", "-verbose", f"-test-directory={folder.name}", folder=self.root, **served
            )
        shutil.rmtree(folder)
        output = messages(said)
        return {
            name: [one for one in output if one.get("@testfile") == f"{folder.name}/{name}.tftest.hcl"]
            for name in files
        }


def messages(said: str) -> list[dict[str, Any]]:
    """Return the JSON messages in Terraform's output."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
