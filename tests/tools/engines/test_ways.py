"""Choice of the way to run LocalStack, automatic or manual, and its error messages."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from scripts.artifacts.targets import local_target
from scripts.engines import pip as localstack_pip
from scripts.engines.docker import missing_docker
from scripts.engines.localstack import Way, ask, functions_target, target, url
from scripts.engines.pip import PYTHONS, Process, find_python
from scripts.process.entry_point import ToolError
from scripts.run_localstack import choose

ANSWERS = 'case "$1" in version) echo 20.10 ;; compose) echo 2.26 ;; esac'
NO_ENGINE = 'case "$1" in version) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;; esac'
NO_COMPOSE = 'case "$1" in compose) echo "unknown command" >&2; exit 1 ;; esac'


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the docker command, which does not exist yet; the PATH contains nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "docker"


def install(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "way", "reason"),
    [
        (ANSWERS, Way.DOCKER, "a Docker engine answers"),
        (NO_ENGINE, Way.PIP, "no Docker engine answers"),
        (NO_COMPOSE, Way.PIP, "docker has no compose"),
        (None, Way.PIP, "there is no docker command"),
    ],
)
def test_the_way_follows_from_the_machine(docker: Path, script: str | None, way: Way, reason: str) -> None:
    if script:
        install(docker, script)
    assert choose({}) == (way, reason)


def test_an_engine_that_hangs_does_not_answer(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(docker, "exec /bin/sleep 30")
    monkeypatch.setattr("scripts.engines.docker.ANSWER_SECONDS", 0.2)
    assert missing_docker() == "no Docker engine answers"


def test_way_can_be_chosen_manually(docker: Path) -> None:
    install(docker, ANSWERS)
    assert choose({"LOCALSTACK": "pip"}) == (Way.PIP, "LOCALSTACK=pip asks for it")
    assert choose({"LOCALSTACK": "docker"}) == (Way.DOCKER, "LOCALSTACK=docker asks for it")
    assert choose({"LOCALSTACK": ""}) == (Way.DOCKER, "a Docker engine answers")


def test_unavailable_way_is_not_replaced_silently(docker: Path) -> None:
    install(docker, NO_ENGINE)
    with pytest.raises(ToolError, match="LOCALSTACK=docker asks for a Docker engine, but no Docker engine"):
        choose({"LOCALSTACK": "docker"})
    with pytest.raises(ToolError, match="'podman': set it to docker or pip"):
        choose({"LOCALSTACK": "podman"})


def test_functions_are_packaged_for_what_runs_them() -> None:
    assert target(Way.PIP) == local_target()
    assert target(Way.DOCKER).runtime == "python3.13"
    assert target(Way.DOCKER).architecture == local_target().architecture
    assert not target(Way.DOCKER).local_only


def test_silent_address_is_not_localstack() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        endpoint = url(silent.getsockname()[1])
        assert ask(endpoint, "health") is None
        with pytest.raises(ToolError, match=f"no LocalStack answers at {endpoint}"):
            functions_target(endpoint)


def fake_python(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    install(path, f"echo {version}")
    return path


class TestPython:
    """LocalStack needs one of few versions of Python, regardless of this project's version."""

    @pytest.fixture(autouse=True)
    def _nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
        monkeypatch.delenv("LOCALSTACK_PYTHON", raising=False)
        monkeypatch.setattr(sys, "version_info", (3, 11, 7))

    def test_this_one_where_it_will_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "version_info", (*PYTHONS[0], 1))
        assert find_python() == sys.executable

    def test_the_newest_on_the_path(self, tmp_path: Path) -> None:
        fake_python(tmp_path, "bin/python3.12", "3 12")
        assert find_python() == "python3.12"
        fake_python(tmp_path, "bin/python3.13", "3 13")
        assert find_python() == "python3.13"

    def test_pyenvs_where_its_shim_does_not_work(self, tmp_path: Path) -> None:
        install(fake_python(tmp_path, "bin/python3.13", ""), "echo 'not in this folder' >&2; exit 127")
        kept = fake_python(tmp_path, "pyenv/versions/3.13.0/bin/python3.13", "3 13")
        assert find_python() == str(kept)

    def test_python_can_be_chosen_manually(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOCALSTACK_PYTHON", str(fake_python(tmp_path, "mine", "3 12")))
        assert find_python() == str(tmp_path / "mine")
        monkeypatch.setenv("LOCALSTACK_PYTHON", str(fake_python(tmp_path, "old", "3 9")))
        with pytest.raises(ToolError, match=r"old is no Python 3\.12 or 3\.13"):
            find_python()

    def test_none(self) -> None:
        with pytest.raises(ToolError, match=r"needs Python 3\.12 or 3\.13.*LOCALSTACK_PYTHON.*Docker"):
            find_python()


class TestProcess:
    """LocalStack as a process: what happens when it does not go well."""

    @pytest.fixture(autouse=True)
    def _installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(localstack_pip, "install", lambda: None)

    def test_taken_port_is_reported(self, tmp_path: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(ToolError, match=f"port {port} is taken: set LOCALSTACK_PORT"):
                Process(port, tmp_path / "log").up()

    def test_failed_start_is_reported_with_the_log(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = tmp_path / "python"
        install(broken, "echo broken; exit 3")
        monkeypatch.setattr(localstack_pip, "PYTHON", broken)
        process = Process(free_port(), tmp_path / "log")
        with pytest.raises(ToolError, match=f"with code 3: see {tmp_path}/log"):
            process.up()
        assert (tmp_path / "log").read_text() == "broken\n"
        assert not process.is_up

    def test_one_that_never_answers_is_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        silent = tmp_path / "python"
        install(silent, f"echo $$ >{tmp_path}/pid; exec /bin/sleep 60")
        monkeypatch.setattr(localstack_pip, "PYTHON", silent)
        monkeypatch.setattr(localstack_pip, "START_SECONDS", 1)
        with pytest.raises(ToolError, match="did not answer within 1 s"):
            Process(free_port(), tmp_path / "log").up()
        pid = int((tmp_path / "pid").read_text())
        assert localstack_pip._has_ended(pid)  # noqa: SLF001

    def test_a_number_of_old_is_not_taken_for_localstack(self, tmp_path: Path) -> None:
        """The process is long gone, and its number may be anybody's."""
        (tmp_path / "process.json").write_text(f'{{"pid": 1, "port": {free_port()}, "session": "old"}}')
        process = Process(free_port(), tmp_path / "log")
        assert not process.is_up
        process.down()
        assert not (tmp_path / "process.json").exists()

    def test_the_developers_settings_stay_outside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_PROFILE", "LOCALSTACK_AUTH_TOKEN", "LAMBDA_RUNTIME_EXECUTOR", "PYTHONPATH", "TMPDIR"):
            monkeypatch.setenv(name, "mine")
        environment = Process(4566, tmp_path / "log")._environment()  # noqa: SLF001
        assert "mine" not in environment.values()
        assert environment["GATEWAY_LISTEN"] == "127.0.0.1:4566"
        files = [Path(environment[name]) for name in ("FILESYSTEM_ROOT", "TEMP", "TMPDIR", "XDG_CACHE_HOME")]
        assert all(tmp_path in path.parents for path in files)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
