"""The contracts themselves: schemas, examples and patterns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from jsonschema import Draft202012Validator
from moto import mock_aws

from process_image.image import INPUT_FORMATS, RejectedImageError, Variant
from process_image.image.variants import OUTPUT_FORMATS
from scripts.contracts.events import EVENTS, Contract, load, to_json
from scripts.generated.events import fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONTRACTS = load()
OURS = {name: contract for name, contract in CONTRACTS.items() if contract.versions}
THEIRS = {name: contract for name, contract in CONTRACTS.items() if contract.expected}
SCHEMAS = {
    **{f"{name}/{version}": OURS[name].versions[version] for name in OURS for version in OURS[name].versions},
    **{f"{name}/expected": contract.expected or {} for name, contract in THEIRS.items()},
}
EXAMPLES = {f"{name}/{file}": (name, file) for name in CONTRACTS for file in CONTRACTS[name].examples}

ENVELOPE = {
    "type": "object",
    "properties": {
        "version": {"const": "0"},
        "id": {"pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        "account": {"pattern": "^[0-9]{12}$"},
        "time": {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
        "region": {"pattern": "^[a-z]{2}-[a-z]+-[0-9]$"},
        "resources": {"type": "array", "items": {"pattern": "^arn:"}},
        "detail": {"type": "object"},
    },
    "required": [
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    ],
    "additionalProperties": {"type": "string"},
}


def test_every_event_of_the_pipeline_has_a_contract() -> None:
    assert sorted(OURS) == ["image_deleted", "image_processed", "image_rejected", "image_version_deleted"]
    assert sorted(THEIRS) == ["object_created", "object_deleted"]
    assert sorted(THEIRS["object_deleted"].examples) == [
        "example_delete_marker.json",
        "example_permanent.json",
    ]
    assert all(contract.examples for contract in CONTRACTS.values())


def test_no_file_in_the_folder_goes_unread() -> None:
    read = {"published.json"}
    for name, contract in CONTRACTS.items():
        read |= {f"{name}/pattern.json", *(f"{name}/{version}.json" for version in contract.versions)}
        read |= {f"{name}/{file}" for file in contract.examples}
        read |= {f"{name}/expected.json"} if contract.expected else set()
    assert {str(path.relative_to(EVENTS)) for path in EVENTS.rglob("*.json")} == read


@pytest.mark.parametrize("path", sorted(EVENTS.rglob("*.json")), ids=lambda path: str(path.relative_to(EVENTS)))
def test_files_have_the_same_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == to_json(json.loads(text))


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_of_draft_2020_12(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_describes_all_its_fields(name: str) -> None:
    schema = SCHEMAS[name]
    contract = CONTRACTS[name.partition("/")[0]]
    assert [schema["title"]] == contract.pattern["detail-type"]
    assert schema["description"].endswith(".")
    for field in fields(schema):
        assert field.schema.get("description", "").endswith("."), field.path
        assert "type" in field.schema, field.path
        # A number has a unit in its description.
        if field.path.endswith(("bytes", "size", "width", "height")):
            assert {"bytes", "pixels"} & set(field.schema["description"].rstrip(".").replace(",", "").split())


@pytest.mark.parametrize("name", SCHEMAS)
def test_objects_have_titles_and_stay_open(name: str) -> None:
    def check(schema: Mapping[str, Any]) -> None:
        if schema.get("type") == "object":
            assert schema["title"]
            assert set(schema["required"]) <= set(schema["properties"])
        assert "additionalProperties" not in schema
        for inner in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
            check(inner)

    check(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_values_given_as_examples_are_valid(name: str) -> None:
    for field in fields(SCHEMAS[name]):
        for value in field.schema.get("examples", ()):
            Draft202012Validator(field.schema).validate(value)


def test_common_fields_are_the_same_in_all_events() -> None:
    first, *others = (contract.versions[1]["properties"] for contract in OURS.values())
    shared = set(first).intersection(*others)
    assert len(shared) == 9
    for name in shared - {"status"}:
        assert all(other[name] == first[name] for other in others), name


@pytest.mark.parametrize(("name", "file"), EXAMPLES.values(), ids=EXAMPLES)
def test_examples_are_whole_events(name: str, file: str) -> None:
    Draft202012Validator(ENVELOPE).validate(CONTRACTS[name].examples[file])


@pytest.mark.parametrize(("name", "file"), EXAMPLES.values(), ids=EXAMPLES)
def test_examples_keep_their_schema(name: str, file: str) -> None:
    contract, example = CONTRACTS[name], CONTRACTS[name].examples[file]
    if contract.expected:
        Draft202012Validator(contract.expected).validate(example)
    else:
        schema = contract.versions[example["detail"]["schema_version"]]
        Draft202012Validator(schema).validate(example["detail"])


@pytest.mark.parametrize(("name", "file"), EXAMPLES.values(), ids=EXAMPLES)
def test_consumer_accepts_unknown_fields(name: str, file: str) -> None:
    contract, example = CONTRACTS[name], CONTRACTS[name].examples[file]

    def grow(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{key: grow(inner) for key, inner in value.items()}, "added_later": [1, {"x": None}]}
        return [grow(inner) for inner in value] if isinstance(value, list) else value

    if contract.expected:
        Draft202012Validator(contract.expected).validate(grow(example))
    else:
        schema = contract.versions[example["detail"]["schema_version"]]
        Draft202012Validator(schema).validate(grow(example["detail"]))


@pytest.mark.parametrize("name", OURS)
def test_the_detail_says_what_the_detail_type_says(name: str) -> None:
    for example in OURS[name].examples.values():
        assert example["detail-type"].replace(" ", "") == f"Image{example['detail']['status']}"


def test_listed_values_are_those_of_the_image_core() -> None:
    processed = OURS["image_processed"].versions[1]["properties"]
    rejected = OURS["image_rejected"].versions[1]["properties"]
    formats = processed["original"]["properties"]["format"]["examples"]
    types = processed["variants"]["items"]["properties"]["content_type"]["examples"]
    codes = rejected["reason"]["properties"]["code"]

    assert sorted(formats) == sorted(INPUT_FORMATS)
    variants = (Variant.from_mapping({"name": "v", "width": 1, "format": format_}) for format_ in OUTPUT_FORMATS)
    assert sorted(types) == sorted(variant.content_type for variant in variants)
    assert sorted(codes["examples"]) == sorted(kind.code for kind in RejectedImageError.__subclasses__())
    assert all(f"`{code}`" in codes["description"] for code in codes["examples"])


def test_examples_are_consistent() -> None:
    """One image is uploaded, processed, and deleted with a delete marker; later its version is purged."""
    created = CONTRACTS["object_created"].examples["example.json"]
    processed = CONTRACTS["image_processed"].examples["example.json"]["detail"]
    marker = CONTRACTS["object_deleted"].examples["example_delete_marker.json"]
    deleted = CONTRACTS["image_deleted"].examples["example.json"]["detail"]
    permanent = CONTRACTS["object_deleted"].examples["example_permanent.json"]

    for s3, ours, time in ((created, processed, "uploaded_at"), (marker, deleted, "deleted_at")):
        assert ours["image_id"] == s3["detail"]["object"]["key"]
        assert ours["version"] == s3["detail"]["object"]["version-id"]
        assert ours["sequencer"] == s3["detail"]["object"]["sequencer"].ljust(32, "0")
        assert ours[time] == s3["time"]
    assert processed["original"]["bytes"] == created["detail"]["object"]["size"]
    assert processed["sequencer"] < deleted["sequencer"]
    assert deleted["deleted_versions"] == [processed["version"]]
    assert permanent["detail"]["object"]["version-id"] == processed["version"]
    version_deleted = CONTRACTS["image_version_deleted"].examples["example.json"]["detail"]
    assert version_deleted["image_id"] == processed["image_id"]
    assert version_deleted["version"] != processed["version"], "the image still exists"
    assert processed["sequencer"] < version_deleted["sequencer"] < deleted["sequencer"]
    for variant in processed["variants"]:
        assert variant["key"].startswith(f"{processed['image_id']}/{processed['version']}/{variant['name']}.")


class Bus:
    """A bus of moto's, with one queue for each rule."""

    def __init__(self, patterns: Mapping[str, Mapping[str, Any]]) -> None:
        self._events = boto3.client("events", region_name="eu-central-1")
        self._sqs = boto3.client("sqs", region_name="eu-central-1")
        self._events.create_event_bus(Name="bus")
        self._queues = {}
        for name, pattern in patterns.items():
            url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
            attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            self._events.put_rule(Name=name, EventBusName="bus", EventPattern=json.dumps(pattern))
            arn = attributes["Attributes"]["QueueArn"]
            self._events.put_targets(Rule=name, EventBusName="bus", Targets=[{"Id": "queue", "Arn": arn}])
            self._queues[name] = url

    def send(self, event: Mapping[str, Any]) -> list[str]:
        """Put an event on the bus; returns the rules that matched it."""
        answer = self._events.put_events(
            Entries=[
                {
                    "EventBusName": "bus",
                    "Source": event["source"],
                    "DetailType": event["detail-type"],
                    "Detail": json.dumps(event["detail"]),
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0
        return [name for name, url in self._queues.items() if self._received(url, event)]

    def _received(self, url: str, event: Mapping[str, Any]) -> bool:
        messages = self._sqs.receive_message(QueueUrl=url).get("Messages", [])
        for message in messages:
            assert json.loads(message["Body"])["detail"] == event["detail"]
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(messages)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_patterns_match_their_own_events_and_no_others() -> None:
    bus = Bus({name: contract.pattern for name, contract in CONTRACTS.items()})
    for name, contract in CONTRACTS.items():
        for example in contract.examples.values():
            assert bus.send(example) == [name]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("name", CONTRACTS)
def test_patterns_match_source_and_type(name: str) -> None:
    contract = CONTRACTS[name]
    bus = Bus({name: contract.pattern})
    for example in contract.examples.values():
        assert bus.send({**example, "source": example["source"] + ".other"}) == []
        assert bus.send({**example, "detail-type": example["detail-type"] + " Again"}) == []
        assert bus.send(example) == [name]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("contract", THEIRS.values(), ids=THEIRS)
def test_patterns_of_s3_take_the_name_of_a_bucket(contract: Contract) -> None:
    """Terraform adds it; a pattern with a `detail` of its own would lose that."""
    assert "detail" not in contract.pattern
    (bucket,) = {example["detail"]["bucket"]["name"] for example in contract.examples.values()}
    bus = Bus({"originals": {**contract.pattern, "detail": {"bucket": {"name": [bucket]}}}})
    for example in contract.examples.values():
        assert bus.send(example) == ["originals"]
        other = {**example, "detail": {**example["detail"], "bucket": {"name": bucket + "-of-others"}}}
        assert bus.send(other) == []
