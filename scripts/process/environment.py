"""The environment of the tools and of what they start: without settings that are for something else."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIGURATION_FILES = ("TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def inherited(*without: str) -> dict[str, str]:
    """Return this process's variables, except those whose names begin with one of these texts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}


def direct_loopback() -> dict[str, str]:
    """Return this process's exceptions from proxies, in both spellings, with this machine's own addresses added."""
    exceptions = [name.strip() for key in ("no_proxy", "NO_PROXY") for name in os.environ.get(key, "").split(",")]
    names = "*" if "*" in exceptions else ",".join(dict.fromkeys(filter(None, [*exceptions, *LOOPBACK])))
    return {"NO_PROXY": names, "no_proxy": names}


def prepare() -> None:
    """Set up this process and what it starts.

    Engines are reached without a proxy. Terraform warns at every start about a CLI configuration that does not
    exist, so one is not named.
    """
    os.environ.update(direct_loopback())
    for name in CONFIGURATION_FILES:
        if name in os.environ and not Path(os.environ[name]).is_file():
            del os.environ[name]


def engine_settings(endpoint: str) -> dict[str, str]:
    """Return the variables by which a process takes an emulator for AWS: its address and its root user."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **direct_loopback(),
    }


def engine_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's variables with an engine's settings as the only ones of AWS: no account of the user."""
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**inherited("AWS_"), **files, **settings}


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Make this process take an engine for AWS until the block ends."""
    before = dict(os.environ)
    wanted = engine_environment(settings)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
