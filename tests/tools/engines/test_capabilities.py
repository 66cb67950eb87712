"""The table of what engines can do, and the tests' needs, fit: no test is left out everywhere."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from tests.e2e import engines
from tests.e2e.engines import AWS, ENGINES, EXAMPLES, LOCALSTACK, MINISTACK, Capability, Engine, Tool

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = (LOCALSTACK, MINISTACK)
TESTS = sorted((ROOT / "tests" / "e2e").glob("test_*.py"))

AWS_ONLY = {
    # LocalStack only supports the status of a gateway response, and MiniStack has no such API.
    "tests/e2e/test_serve.py::test_gateway_errors_have_the_shape_of_the_api": (
        "tests/terraform/test_modules.py::test_its_own_tests_pass[modules/service_api]"
    ),
    # Both emulators read a body before they look at its type: LocalStack fails over it, MiniStack has no such API.
    "tests/e2e/test_serve.py::test_binary_body_is_refused_outside_of_images": (
        "tests/product/api/test_openapi.py::test_only_the_route_for_bytes_has_no_template"
    ),
    # LocalStack compares a body's type with the listed ones by their text; MiniStack has no such API.
    "tests/e2e/test_serve.py::test_image_keeps_bytes_with_any_content_type": (
        "tests/tools/aws_checks/test_api_bodies.py::test_every_body_is_bytes"
    ),
    # LocalStack does not enforce IAM, and MiniStack has no such API.
    "tests/e2e/test_serve.py::test_empty_body_is_refused": (
        "tests/product/api/test_templates.py::test_the_hash_of_an_empty_body_is_denied"
    ),
    # Neither emulator has the service.
    "tests/e2e/test_observe.py::test_registry_has_the_contracts": (
        "tests/terraform/test_root.py::test_registry_has_equivalent_contracts"
    ),
}
"""Tests that no engine on this machine can run, with the reason and a substitute test."""

COLLECT = """
import json, sys
import pytest

class Needs:
    def pytest_collection_finish(self, session):
        found = {
            item.nodeid: [need.name for marker in item.iter_markers("needs") for need in marker.args]
            for item in session.items
        }
        print("NEEDS", json.dumps(found))

sys.exit(pytest.main(["--collect-only", "--quiet", *sys.argv[1:]], plugins=[Needs()]))
"""


def collected(*tests: str) -> dict[str, set[str]]:
    """Return the needs of the tests by name, from the collection: no fixture runs and no engine starts."""
    run = subprocess.run(
        [sys.executable, "-c", COLLECT, *tests], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout
    (found,) = (line.removeprefix("NEEDS ") for line in run.stdout.splitlines() if line.startswith("NEEDS "))
    return {test: set(names) for test, names in json.loads(found).items()}


@cache
def needs() -> dict[str, set[Capability]]:
    """Return the capabilities that each end-to-end test needs."""
    tools = {tool.name for tool in Tool}
    return {test: {Capability[name] for name in names - tools} for test, names in collected("tests/e2e").items()}


def test_aws_can_do_everything() -> None:
    assert AWS.cannot == frozenset()
    assert set(ENGINES) == {AWS, *LOCAL}


def test_each_test_runs_on_an_engine_on_this_machine() -> None:
    assert len(needs()) > 40
    unrunnable = {name(test) for test, needed in needs().items() if not any(engine.can(*needed) for engine in LOCAL)}
    assert unrunnable == set(AWS_ONLY)


def test_tests_for_aws_only_have_a_substitute() -> None:
    found = collected(*AWS_ONLY.values())
    assert set(AWS_ONLY.values()) <= {*found, *map(name, found)}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_tests_check_capabilities_not_engines(path: Path) -> None:
    """A test could otherwise skip for a reason that is not in the table."""
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    declared = {name for name, value in vars(engines).items() if isinstance(value, engines.Engine)}
    assert declared == {engine.name.upper() for engine in ENGINES}
    assert not names & declared


def test_the_table_names_examples_that_there_are() -> None:
    modules = ROOT / "terraform" / "modules"
    assert set(EXAMPLES) <= {path.relative_to(modules).as_posix() for path in modules.glob("*/examples/*")}


WAYS_TO_SKIP = {
    "call": "def test(): pytest.skip('because')",
    "mark": "@pytest.mark.skip(reason='because')\ndef test(): pass",
    "condition": "@pytest.mark.skipif(True, reason='because')\ndef test(): pass",
    "fixture": "@pytest.fixture\ndef it(): pytest.skip('because')\ndef test(it): pass",
    "import": "def test(): pytest.importorskip('there_is_no_such_module')",
    "module": "pytest.skip('because', allow_module_level=True)",
    "module_import": "pytest.importorskip('there_is_no_such_module')",
    "module_mark": "pytestmark = pytest.mark.skip(reason='because')\ndef test(): pass",
    "unittest": "import unittest\nclass TestIt(unittest.TestCase):\n    def test(self): self.skipTest('because')",
    "unittest_mark": "import unittest\n@unittest.skip('because')\ndef test(): pass",
    "expected_failure": "@pytest.mark.xfail(run=False, reason='because')\ndef test(): pass",
    "parameters": "@pytest.mark.parametrize('x', [])\ndef test(x): pass",
    "pretence": "def test(): pytest.skip('the table in tests/e2e/engines.py')",
}


BY_THE_TABLE = {
    "skipped": "def test(): skip('not supported')",
    "passed": "def test(): pass",
    "failed": "def test(): assert False",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return pytest's outcomes of modules with one test each, under the rules of the end-to-end tests."""
    folder = tmp_path_factory.mktemp("skipping")
    for module, source in {**WAYS_TO_SKIP, **BY_THE_TABLE}.items():
        (folder / f"test_{module}.py").write_text(f"import pytest\nfrom tests.e2e.skipping import skip\n\n{source}\n")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.e2e.skipping",
            "--continue-on-collection-errors",
            "--no-fold-skipped",
            "-rA",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    results = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b.*?test_(\w+)\.py", run.stdout, re.MULTILINE)
    return {module: said.lower() for said, module in results}


@pytest.mark.parametrize("way", WAYS_TO_SKIP)
def test_skip_outside_the_table_fails(outcomes: dict[str, str], way: str) -> None:
    assert outcomes[way] in ("failed", "error")


@pytest.mark.parametrize("outcome", BY_THE_TABLE)
def test_the_table_skips_and_nothing_else_changes(outcomes: dict[str, str], outcome: str) -> None:
    assert outcomes[outcome] == outcome


def test_every_end_to_end_test_is_held_to_it() -> None:
    from tests.e2e import conftest, skipping  # noqa: PLC0415 - pytest loads it first, where it belongs

    hooks = {name for name in vars(skipping) if name.startswith("pytest_")}
    assert {name for name in hooks if vars(conftest).get(name) is vars(skipping)[name]} == hooks != set()


@pytest.mark.parametrize("engine", LOCAL, ids=lambda engine: engine.name)
def test_each_engine_runs_most_of_them(engine: Engine) -> None:
    run = {name(test) for test, needed in needs().items() if engine.can(*needed)}
    assert len(run) > 0.6 * len({name(test) for test in needs()})


def name(test: str) -> str:
    """Return a test's name without its parameters."""
    return test.partition("[")[0]


@pytest.mark.parametrize("capability", Capability)
def test_capability_is_needed_and_missing_somewhere(capability: Capability) -> None:
    assert any(capability in needed for needed in needs().values())
    assert any(not engine.can(capability) for engine in LOCAL)
