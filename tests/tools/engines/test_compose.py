"""docker-compose.yml: what it opens, pins and mounts; and both ways of LocalStack are one version."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from scripts import ROOT
from scripts.engines.docker import missing_docker
from scripts.engines.pip import START_SCRIPTS

COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    assert list(services) == ["localstack"]
    localstack: dict[str, Any] = services["localstack"]
    return localstack


def test_tag_is_that_of_the_locked_requirement(service: dict[str, Any]) -> None:
    tag = re.fullmatch(r"localstack/localstack:\$\{LOCALSTACK_TAG:-([\d.]+)\}", service["image"])
    locked = re.search(
        r"^localstack-core==([\d.]+)", (ROOT / "requirements" / "localstack.txt").read_text(), re.MULTILINE
    )
    assert tag
    assert locked
    assert tag[1] == locked[1]


def test_the_token_comes_from_outside(service: dict[str, Any]) -> None:
    assert service["environment"]["LOCALSTACK_AUTH_TOKEN"] == "${LOCALSTACK_AUTH_TOKEN:-}"  # noqa: S105


def test_every_port_is_bound_to_the_loopback_address(service: dict[str, Any]) -> None:
    assert service["ports"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_service_has_socket_volume_and_health_check(service: dict[str, Any]) -> None:
    assert {mount.removesuffix(":ro").rsplit(":", 1)[1] for mount in service["volumes"]} == {
        "/etc/localstack/init/start.d",
        "/var/run/docker.sock",
        "/var/lib/localstack",
    }
    assert "http://localhost:4566/_localstack/health" in service["healthcheck"]["test"]
    assert service["healthcheck"]["test"][:4] == ["CMD", "curl", "--noproxy", "*"]  # Docker passes proxies on


def test_start_scripts_are_those_without_docker(service: dict[str, Any]) -> None:
    (mounted,) = (mount.split(":")[0] for mount in service["volumes"] if "/init/" in mount)
    assert (ROOT / mounted).resolve() == START_SCRIPTS
    assert [path.name for path in START_SCRIPTS.glob("*.py")] == ["conditional_deletes.py"]


@pytest.mark.skipif(missing_docker() is not None, reason="docker compose cannot be run here")
def test_compose_takes_it_and_the_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TAG": "stable", "AUTH_TOKEN": "secret", "PORT": "5000"}.items():
        monkeypatch.setenv(f"LOCALSTACK_{name}", value)
    command = ["docker", "compose", "--file", str(COMPOSE), "config"]
    resolved = yaml.safe_load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    service = resolved["services"]["localstack"]
    assert service["image"] == "localstack/localstack:stable"
    assert service["environment"]["LOCALSTACK_AUTH_TOKEN"] == "secret"  # noqa: S105
    assert [(port["host_ip"], port["published"]) for port in service["ports"]] == [("127.0.0.1", "5000")]
