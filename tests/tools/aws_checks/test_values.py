"""No argument silently drops out of the comparison with AWS's limits."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.aws_checks import values
from scripts.terraform.plans import load_plans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.terraform.plans import Plan


# Types without a limit on any argument that the code sets.
WITHOUT_LIMITS = {
    "aws_api_gateway_account",
    "aws_api_gateway_api_key",
    "aws_api_gateway_deployment",
    "aws_api_gateway_rest_api",
    "aws_api_gateway_stage",
    "aws_s3_bucket_policy",
    "aws_schemas_registry",
    "aws_schemas_schema",
    "aws_sns_topic_subscription",
}
# Types that no plan has: an alias, a permission and a reservation are for callers that the examples do not have.
WITHOUT_PLAN = {"aws_lambda_alias", "aws_lambda_permission", "aws_lambda_provisioned_concurrency_config"}


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return load_plans()


def test_every_argument_is_compared_or_has_a_reason() -> None:
    for kind, paths in values.written().items():
        if kind.startswith("data.") or kind == "provider" or kind in values.WITHOUT_COUNTERPART:
            continue
        counterpart = values.COUNTERPARTS[kind]
        unknown = {path for path in paths if values.find_property(kind, path) is None}
        blocks = {path for path in unknown if any(other.startswith(f"{path}.") for other in paths)}
        assert unknown - blocks == counterpart.without.keys(), kind
        # A name in the table leads to a property.
        for path in counterpart.names:
            assert path not in paths or path in blocks or values.find_property(kind, path) is not None, (kind, path)


def test_every_type_has_a_counterpart_or_a_reason() -> None:
    resources = {kind for kind in values.written() if not kind.startswith("data.") and kind != "provider"}
    assert resources == values.COUNTERPARTS.keys() | values.WITHOUT_COUNTERPART.keys()
    assert values.registry().keys() == {one.type for one in values.COUNTERPARTS.values()}


def test_values_of_all_types_are_compared(plans: Sequence[Plan]) -> None:
    compared: dict[str, set[str]] = {}
    for plan in plans:
        for resource in plan.every(*values.COUNTERPARTS):
            kind = values.COUNTERPARTS[resource.type].type
            found = {path for path, name, _ in values.compared(resource) if values.limits(kind, name)}
            compared.setdefault(resource.type, set()).update(found)
    assert values.COUNTERPARTS.keys() - compared.keys() == WITHOUT_PLAN
    assert {kind for kind, paths in compared.items() if not paths} == WITHOUT_LIMITS
    assert sum(map(len, compared.values())) > 130


def test_every_exception_is_needed(plans: Sequence[Plan]) -> None:
    for (kind, path), unset in values.UNSET.items():
        *blocks, last = path.split(".")
        within = [
            resource.value(*(step for block in blocks for step in (block, 0)), last)
            for plan in plans
            for resource in plan.every(kind)
        ]
        assert any(re.fullmatch(unset, str(value)) for value in within), (kind, path)


@pytest.mark.parametrize(("kind", "name"), [*values.SHAPES, *values.DOCUMENTED])
def test_gaps_of_the_registry_are_filled(kind: str, name: str) -> None:
    registered, filled = values.registry()[kind][name], values.limits(kind, name)
    assert filled
    assert filled.keys() - registered.keys() or filled != registered


def test_every_pattern_is_one_that_python_reads() -> None:
    patterns = {
        limits["pattern"] for one in values.registry().values() for limits in one.values() if "pattern" in limits
    }
    assert len(patterns) > 50
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pattern in patterns:
            re.compile(values.python_pattern(pattern))


def test_longest_name_is_the_variables_limit() -> None:
    for folder in ("", "examples/github_deploy_role"):
        text = (ROOT / "terraform" / folder / "variables.tf").read_text()
        (pattern,) = re.findall(r'regex\("(\^\[a-z\][^"]*)", var\.name\)', text)
        assert re.fullmatch(pattern, values.LONGEST_NAME)
        assert not re.fullmatch(pattern, f"{values.LONGEST_NAME}x")
