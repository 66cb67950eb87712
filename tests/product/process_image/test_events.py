"""Object events are parsed strictly, and outcome events match their contracts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from process_image.events import (
    SOURCE,
    Deletion,
    MalformedEventError,
    OutcomeEvent,
    StoredVariant,
    Upload,
    image_deleted,
    image_processed,
    image_rejected,
    image_version_deleted,
    parse,
)
from process_image.image import (
    INPUT_FORMATS,
    Original,
    RejectedImageError,
    TooManyBytesError,
    TooManyPixelsError,
    UnsupportedFormatError,
)
from tests.product.process_image.originals import CONTRACTS

CREATED = CONTRACTS["object_created"].examples["example.json"]
MARKER = CONTRACTS["object_deleted"].examples["example_delete_marker.json"]
PERMANENT = CONTRACTS["object_deleted"].examples["example_permanent.json"]
RECIPE = "5a3f09c1e7b2d486"
UUID = "7d1c5a52-2f0f-4c9b-9d8e-6a4a0e1f2b3c"

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def changed(event: dict[str, Any], **about: Any) -> str:
    """Return the event with changed fields of its object. None removes a field."""
    copy = json.loads(json.dumps(event))
    copy["detail"]["object"].update(about)
    copy["detail"]["object"] = {name: value for name, value in copy["detail"]["object"].items() if value is not None}
    return json.dumps(copy)


def upload(**changes: Any) -> Upload:
    event = parse(changed(CREATED, **changes))
    assert isinstance(event, Upload)
    return event


def check(event: OutcomeEvent) -> dict[str, Any]:
    """Check an event against its contract, as a consumer gets it; return its detail."""
    detail: dict[str, Any] = json.loads(json.dumps(event.detail))
    (contract,) = (one for one in CONTRACTS.values() if one.pattern["detail-type"] == [event.detail_type])
    assert contract.pattern["source"] == [SOURCE]
    schema = contract.versions[detail["schema_version"]]
    Draft202012Validator(schema, format_checker=FORMATS).validate(detail)
    assert set(detail) == set(schema["properties"]), "every field is in the contract"
    return detail


# Parsing


def test_upload_event_is_parsed() -> None:
    assert parse(json.dumps(CREATED)) == Upload(
        bucket="darkroom-originals-111122223333-eu-central-1",
        key=f"maria/{UUID}",
        version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        sequencer="006B0164A4A1F2C3D400000000000000",
        time="2026-11-21T09:30:12Z",
        etag="b57f9512698f4b09e608f4f2a65852e5",
        size=4215873,
    )


def test_delete_marker_deletes_the_image() -> None:
    event = parse(json.dumps(MARKER))
    assert isinstance(event, Deletion)
    assert event.whole_image
    assert event.version == "1QW9g1Z99LUNbvaaYVpW9xDlOLU.qxgF"


def test_permanent_deletion_deletes_one_version() -> None:
    event = parse(json.dumps(PERMANENT))
    assert isinstance(event, Deletion)
    assert not event.whole_image
    assert event.version == "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"


@pytest.mark.parametrize("version_id", [None, "null"])
def test_unversioned_deletion_deletes_the_image(version_id: str | None) -> None:
    event = parse(changed(PERMANENT, **{"version-id": version_id}))
    assert isinstance(event, Deletion)
    assert event.whole_image


@pytest.mark.parametrize("version_id", [None, "null"])
def test_unversioned_version_is_the_sequencer(version_id: str | None) -> None:
    event = upload(**{"version-id": version_id})
    assert event.version_id is None
    assert event.version == event.sequencer


def test_quotes_of_an_etag_are_removed() -> None:
    assert upload(etag='"abc"').etag == upload(etag="abc").etag == "abc"


@given(st.text("0123456789abcdefABCDEF", min_size=1, max_size=32), st.text("0123456789ABCDEF", min_size=1, max_size=32))
@example("0062", "00620")
@settings(deadline=None)
def test_sequencers_sort_as_aws_documents(one: str, other: str) -> None:
    """AWS: hexadecimal, the shorter one padded with zeros on the right."""
    width = max(len(one), len(other))
    numbers = [int(value.ljust(width, "0"), 16) for value in (one, other)]
    first, second = upload(sequencer=one).sequencer, upload(sequencer=other).sequencer
    assert (first < second, first == second) == (numbers[0] < numbers[1], numbers[0] == numbers[1])


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        (f"maria/{UUID}", "maria"),
        (f"a b+c%2F/{UUID}", "a b+c%2F"),
        (f"маша/{UUID}", "маша"),
        (f"maria/{UUID.upper()}", None),
        (f"maria/{UUID}.jpg", None),
        (f"maria/holiday/{UUID}", None),
        (f"/{UUID}", None),
        (UUID, None),
        ("maria/photo.jpg", None),
        (f"maria/{UUID}\n", None),
    ],
)
def test_only_created_keys_name_an_owner(key: str, owner: str | None) -> None:
    assert upload(key=key).owner == owner


@pytest.mark.parametrize(
    "key", ["a b  c", "a+b", "a%2Bb", "a%20b", "ü/日本/🙂", "x" * 1024, "new\nline", "/a//b/", "\u202egpj.exe"]
)
def test_keys_are_taken_raw(key: str) -> None:
    assert upload(key=key).key == key


# Malformed events


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "null",
        "[]",
        "7",
        '"text"',
        "{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps({"detail-type": "Object Created", "detail": {"what": "is this?"}}),
        json.dumps({**CREATED, "detail-type": "Object Tags Added"}),
        json.dumps({**CREATED, "detail-type": ["Object Created"]}),
        json.dumps({**CREATED, "time": "yesterday"}),
        json.dumps({**CREATED, "time": "2026-11-21T09:30:12+01:00"}),
        json.dumps({**MARKER, "detail": {**MARKER["detail"], "deletion-type": "Vanished"}}),
        json.dumps({**MARKER, "detail": {**MARKER["detail"], "deletion-type": ["Permanently Deleted"]}}),
        changed(CREATED, key=""),
        changed(CREATED, key=7),
        changed(CREATED, key="\ud800"),
        changed(CREATED, sequencer="not hexadecimal"),
        changed(CREATED, sequencer="0" * 33),
        changed(CREATED, sequencer=""),
        changed(CREATED, size=-1),
        changed(CREATED, size=1.5),
        changed(CREATED, size="12"),
        changed(CREATED, size=True),
        changed(CREATED, size=float("inf")),
        changed(CREATED, size=None),
        changed(CREATED, etag=None),
        changed(CREATED, etag=["b57f"]),
        changed(CREATED, **{"version-id": 7}),
        changed(CREATED, **{"version-id": ""}),
    ],
    ids=lambda body: body[-60:],
)
def test_anything_else_is_malformed(body: str) -> None:
    with pytest.raises(MalformedEventError):
        parse(body)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates, too
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)


def parse_or_refuse(body: str) -> Upload | Deletion | None:
    """Return the parsed event, from which a valid outcome event can be built, or None."""
    try:
        event = parse(body)
    except MalformedEventError:
        return None
    check(image_deleted(event, deleted_at=event.time, recipe=RECIPE, deleted_versions=[event.version]))
    return event


@given(st.text())
@settings(deadline=None)
def test_any_text_is_refused(body: str) -> None:
    assert parse_or_refuse(body) is None


@given(ANY_JSON)
@settings(deadline=None)
def test_any_other_json_is_refused(value: object) -> None:
    assert parse_or_refuse(json.dumps(value)) is None


@given(st.data(), st.sampled_from([CREATED, MARKER, PERMANENT]))
@settings(deadline=None, max_examples=300)
def test_event_with_one_error_is_valid_or_refused(data: st.DataObject, original: Any) -> None:
    event = json.loads(json.dumps(original))
    at = event
    for container in data.draw(st.sampled_from([(), ("detail",), ("detail", "bucket"), ("detail", "object")])):
        at = at[container]
    field = data.draw(st.sampled_from(sorted(at)))
    if data.draw(st.booleans()):
        del at[field]
    else:
        at[field] = data.draw(ANY_JSON)
    parse_or_refuse(json.dumps(event))


# Building


KEYS = st.text(min_size=1, max_size=1024).filter(lambda key: len(key.encode()) <= 1024)
ORIGINAL = Original(bytes=4215873, width=4032, height=3024, format="jpeg")
STORED = StoredVariant(name="web", key="k", width=256, height=192, bytes=11854, content_type="image/jpeg")
REJECTIONS = [
    TooManyBytesError(10**9, 10**6),
    TooManyPixelsError(10**6, (10**5, 10**5)),
    UnsupportedFormatError(INPUT_FORMATS),
]


def processed(about: Upload, *, recipe: str = RECIPE, variants: int = 1, owner: str | None = None) -> OutcomeEvent:
    return image_processed(
        about, owner=owner, recipe=recipe, original=ORIGINAL, bucket="processed", variants=[STORED] * variants
    )


def rejected(about: Upload, rejection: RejectedImageError = REJECTIONS[0], *, recipe: str = RECIPE) -> OutcomeEvent:
    return image_rejected(about, owner=None, recipe=recipe, size=0, rejection=rejection)


def deleted(about: Upload | Deletion, *, whole: bool = True) -> OutcomeEvent:
    if whole:
        return image_deleted(about, deleted_at=about.time, recipe=RECIPE, deleted_versions=[about.version])
    return image_version_deleted(about, deleted_at=about.time, recipe=RECIPE)


@given(KEYS, st.none() | st.text(min_size=1), st.integers(0, 20), st.sampled_from(REJECTIONS), st.booleans())
@settings(deadline=None)
def test_events_keep_their_contracts(
    key: str, owner: str | None, variants: int, rejection: RejectedImageError, whole: bool
) -> None:
    about = upload(key=key)
    for event in (
        processed(about, variants=variants, owner=owner),
        rejected(about, rejection),
        deleted(about, whole=whole),
    ):
        detail = check(event)
        assert event.detail_type.replace(" ", "") == f"Image{detail['status']}"
        assert detail["image_id"] == key
        assert detail["version"] == about.version
        assert detail["sequencer"] == about.sequencer
        assert [detail.get("uploaded_at"), detail.get("deleted_at")].count(about.time) == 1


def test_date_format_is_checked() -> None:
    event = processed(upload())
    event.detail["uploaded_at"] = "2026-13-41T09:30:12Z"
    with pytest.raises(Exception, match="date-time"):
        check(event)


def test_processed_event_has_all_fields() -> None:
    about = upload()
    assert check(processed(about, owner="maria")) | {"dedup_id": ""} == {
        "schema_version": 1,
        "status": "Processed",
        "image_id": about.key,
        "version": about.version,
        "sequencer": about.sequencer,
        "owner": "maria",
        "recipe": RECIPE,
        "uploaded_at": "2026-11-21T09:30:12Z",
        "dedup_id": "",
        "summary": f"Image maria/{UUID}: processed, 1 variant",
        "original": {
            "bucket": about.bucket,
            "bytes": 4215873,
            "width": 4032,
            "height": 3024,
            "format": "jpeg",
        },
        "variants_bucket": "processed",
        "variants": [
            {"name": "web", "key": "k", "width": 256, "height": 192, "bytes": 11854, "content_type": "image/jpeg"}
        ],
    }


def test_rejected_event_has_the_reason() -> None:
    detail = check(rejected(upload(), TooManyBytesError(2_000_000, 1_000_000)))
    assert detail["reason"] == {
        "code": "too_many_bytes",
        "message": "the file has 2,000,000 bytes; the limit is 1,000,000",
    }
    assert detail["summary"].endswith(": rejected, too_many_bytes")


def test_summary_names_version_deletions() -> None:
    assert check(deleted(upload(), whole=True))["summary"].endswith(": deleted")
    assert check(deleted(upload(), whole=False))["summary"].endswith(": version deleted")


def dedup_id(event: OutcomeEvent) -> str:
    return str(event.detail["dedup_id"])


def test_repeated_event_has_the_same_dedup_id() -> None:
    first, later = upload(), upload(sequencer="0FFF")
    assert dedup_id(processed(first)) == dedup_id(processed(later, variants=2))
    assert dedup_id(rejected(first)) == dedup_id(rejected(later, REJECTIONS[1], recipe="0" * 16))
    assert dedup_id(deleted(first)) == dedup_id(deleted(later))
    assert dedup_id(deleted(first, whole=False)) == dedup_id(deleted(later, whole=False))


def test_deletion_and_missing_upload_share_dedup_id() -> None:
    """A deletion, and an upload whose original is missing, announce the same."""
    deletion = parse(json.dumps(PERMANENT))
    assert dedup_id(deleted(deletion)) == dedup_id(deleted(upload(**{"version-id": deletion.version})))


def test_restored_image_does_not_change_dedup_id() -> None:
    """A repeated deletion finds the image restored: it is announced as that of a version, with the same id."""
    about = upload()
    assert dedup_id(deleted(about)) == dedup_id(deleted(about, whole=False))


def test_new_outcome_has_another_dedup_id() -> None:
    about = upload()
    events = [
        processed(about),
        processed(about, recipe="0" * 16),
        processed(upload(key="other")),
        processed(upload(**{"version-id": "other"})),
        rejected(about),
        deleted(about),
    ]
    assert len({dedup_id(event) for event in events}) == len(events)


def test_dedup_ids_are_stable() -> None:
    """They are stored: a changed rule would notify everything again at the next replay."""
    about = parse(json.dumps(CREATED))
    assert isinstance(about, Upload)
    example = CONTRACTS["image_processed"].examples["example.json"]["detail"]
    assert dedup_id(processed(about)) == example["dedup_id"]
    marker = parse(json.dumps(MARKER))
    assert dedup_id(deleted(marker)) == CONTRACTS["image_deleted"].examples["example.json"]["detail"]["dedup_id"]
    example = CONTRACTS["image_version_deleted"].examples["example.json"]["detail"]
    purge = parse(changed(PERMANENT, **{"version-id": example["version"]}))
    assert dedup_id(deleted(purge, whole=False)) == example["dedup_id"]


@given(KEYS)
@example("x" * 1024)
@example("\r\nSubject: other")
@example("\x1b[31mred\x7f")
@settings(deadline=None)
def test_summary_is_a_valid_subject(key: str) -> None:
    for event in (processed(upload(key=key), variants=999), rejected(upload(key=key)), deleted(upload(key=key))):
        summary = event.detail["summary"]
        assert summary.isascii()
        assert summary.isprintable()
        assert len(summary) < 100
        assert summary.startswith("Image ")


def test_summary_shows_the_end_of_a_long_key() -> None:
    summary = processed(upload(key="long/" * 100 + "holiday.jpg")).detail["summary"]
    assert "..." in summary
    assert "long/holiday.jpg: processed, 1 variant" in summary
