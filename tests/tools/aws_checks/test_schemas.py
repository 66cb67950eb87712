"""The extracts come from the locked packages, as `make schemas` makes them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from scripts.aws_checks import provider6, values
from scripts.aws_checks.cloudformation_schemas import FOLDER, read_limits
from scripts.aws_checks.provider_schemas import read_schemas
from scripts.refresh_schemas import REQUIREMENTS

if TYPE_CHECKING:
    from pathlib import Path

CDKTF = '''
class SqsQueue(
    _cdktf_1.TerraformResource,
):
    @builtins.property
    def arn(self) -> builtins.str: ...

    @builtins.property
    def name_input(self) -> typing.Optional[builtins.str]: ...

    @builtins.property
    def parts(self) -> "SqsQueuePartsList": ...


class SqsQueueConfigA(_cdktf_1.TerraformMetaArguments):
    def __init__(
        self,
        *,
        name: builtins.str,
        delay: typing.Optional[jsii.Number] = None,
        fifo: typing.Optional[typing.Union[builtins.bool, _cdktf_1.IResolvable]] = None,
        ids: typing.Optional[typing.Sequence[builtins.str]] = None,
        rule: typing.Optional[typing.Union[
            _cdktf_1.IResolvable,
            typing.Sequence[typing.Union["SqsQueueRule", typing.Dict[builtins.str, typing.Any]]],
        ]] = None,
        tags: typing.Optional[typing.Mapping[builtins.str, builtins.str]] = None,
        lifecycle: typing.Optional[typing.Any] = None,
    ) -> None:
        """
        :param name: Docs at Terraform Registry: {@link https://registry.terraform.io/a#name SqsQueue#name}.
        :param delay: Docs at Terraform Registry: {@link https://registry.terraform.io/a#delay SqsQueue#delay}.
        :param fifo: Docs at Terraform Registry: {@link https://registry.terraform.io/a#fifo SqsQueue#fifo}.
        :param ids: Docs at Terraform Registry: {@link https://registry.terraform.io/a#ids SqsQueue#ids}.
        :param rule: rule block. Docs at Terraform Registry: {@link https://registry.terraform.io/a#rule SqsQueue#rule}
        :param tags: Docs at Terraform Registry: {@link https://registry.terraform.io/a#tags SqsQueue#tags}.
        """


class SqsQueueRule:
    def __init__(self, *, and_: builtins.str) -> None:
        """
        :param and_: Docs at Terraform Registry: {@link https://registry.terraform.io/a#and SqsQueue#and}.
        """
'''
PULUMI = '''
class QueueArgs:
    @pulumi.getter
    @_utilities.deprecated("""delay is deprecated. Use name instead.""")
    def delay(self): ...
'''
PULUMI_INPUTS = '''
class QueueRuleArgs:
    @pulumi.getter(name="and")
    @_utilities.deprecated("""Use or instead.""")
    def and_(self): ...
'''


def test_the_extracts_are_of_the_locked_versions() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", REQUIREMENTS.read_text(), re.MULTILINE))
    source: dict[str, str] = {}
    for file in (provider6.FILE, values.FILE):
        source |= json.loads(file.read_text())["source"]
    assert source.pop("provider").startswith("6.")
    assert {name.replace("_", "-"): version for name, version in source.items()} == locked


def test_a_schema_is_read_from_both_packages(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "cdktf.whl", "w") as cdktf, ZipFile(tmp_path / "pulumi.whl", "w") as pulumi:
        cdktf.writestr("cdktf_cdktf_provider_aws/sqs_queue/__init__.py", CDKTF)
        pulumi.writestr("pulumi_aws/sqs/queue.py", PULUMI)
        pulumi.writestr("pulumi_aws/sqs/_inputs.py", PULUMI_INPUTS)
    with ZipFile(tmp_path / "cdktf.whl") as cdktf, ZipFile(tmp_path / "pulumi.whl") as pulumi:
        assert read_schemas({"aws_sqs_queue"}, cdktf, pulumi) == {
            "aws_sqs_queue": {
                "arguments": {
                    "name": "string",
                    "delay": "number",
                    "fifo": "bool",
                    "ids": "list(string)",
                    "tags": "map(string)",
                },
                "attributes": {"arn": "string", "parts": "list(object)"},
                "blocks": {
                    "rule": {
                        "arguments": {"and": "string"},
                        "required": ["and"],
                        "deprecated": {"and": "Use or instead."},
                    }
                },
                "required": ["name"],
                "deprecated": {"delay": "delay is deprecated. Use name instead."},
            }
        }
        with pytest.raises(KeyError, match="sqs_topic"):
            read_schemas({"aws_sqs_topic"}, cdktf, pulumi)


def test_limits_are_read_through_circular_references(tmp_path: Path) -> None:
    schema = {
        "definitions": {
            "Tree": {
                "type": "object",
                "properties": {"Name": {"maxLength": 3}, "Trees": {"items": {"$ref": "#/definitions/Tree"}}},
            }
        },
        "properties": {
            "Names": {"type": "array", "maxItems": 2, "maxLength": 1, "items": {"enum": ["a", "b"]}},
            "Root": {"$ref": "#/definitions/Tree"},
            "Text": {"type": "string", "description": "x"},
        },
    }
    with ZipFile(tmp_path / "cfn_lint.whl", "w") as wheel:
        wheel.writestr(f"{FOLDER}/providers/us-east-1.json", json.dumps({"AWS::A::B": "1"}))
        wheel.writestr(f"{FOLDER}/resources/1.json", json.dumps(schema))
    with ZipFile(tmp_path / "cfn_lint.whl") as wheel:
        assert read_limits({"AWS::A::B"}, wheel) == {
            "AWS::A::B": {
                "Names": {"maxItems": 2, "enum": ["a", "b"]},
                "Root": {},
                "Root.Name": {"maxLength": 3},
                "Root.Trees": {},
                "Text": {},
            }
        }
