"""Differences of one image, of every kind. Versions have ids, as on AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from process_image.events import Deletion, Upload, parse
from reconcile.differences import Difference, Image, Kind, differences
from reconcile.records import Version
from reconcile.repair import body_of

if TYPE_CHECKING:
    from darkroom.resources import Resources

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
SEQUENCER = "0062E99A88DC407460".ljust(32, "0")
LATER = "0062E99A99DC407460".ljust(32, "0")


def version(name: str = "v1", time: datetime = BEFORE) -> Version:
    return Version(name, time, 7, "etag")


def item(name: str = "v1", status: str = "Processed", sequencer: str = SEQUENCER, **more: Any) -> dict[str, Any]:
    variants = [{"name": "web", "key": f"a.jpg/{name}/web.webp"}] if status == "Processed" else []
    notified = {"dedup_id": "d", "notified_dedup_id": "d"}
    times = {"uploaded_at": "2026-03-01T11:00:00Z", "recorded_at": "2026-03-01T11:00:02.000Z"}
    about = {"record": f"version#{name}", "version": name, "status": status, "sequencer": sequencer}
    return {**about, **notified, **times, "variants": variants, **more}


def current(name: str = "v1", status: str = "Processed", sequencer: str = SEQUENCER) -> dict[str, Any]:
    shown = item(name, status)
    del shown["sequencer"], shown["dedup_id"], shown["notified_dedup_id"]
    return {**shown, "record": "current", "current_sequencer": sequencer}


def derivatives(*names: str, time: datetime = BEFORE) -> dict[str, dict[str, datetime]]:
    return {name: {f"a.jpg/{name}/web.webp": time} for name in names}


def image(*versions: Version, items: Any = (), marker: Version | None = None, **more: Any) -> Image:
    return Image("a.jpg", list(versions), marker, list(items), **more)


def only(subject: Image) -> Difference:
    (difference,) = differences(subject, NOW)
    return difference


GOOD = image(version(), items=[item(), current()], derivatives=derivatives("v1"))
DELETED = image(version(), marker=version("m"), items=[item("m", "Deleted"), current("m", "Deleted")])
REJECTED = image(version(), items=[item(status="Rejected"), current(status="Rejected")])
OVERWRITTEN = image(
    version("v2"),
    version("v1"),
    items=[item(), item("v2", sequencer=LATER), current("v2", sequencer=LATER)],
    derivatives=derivatives("v1", "v2"),
)
DELETED_AND_BACK = image(
    version("v2"),
    version("v1"),
    items=[item(status="Deleted"), item("m", "Deleted"), item("v2", sequencer=LATER), current("v2", sequencer=LATER)],
    derivatives=derivatives("v2"),
)
OF_NO_RECIPE = image(
    version(),
    items=[item(), current()],
    derivatives={"v1": {"a.jpg/v1/web.webp": BEFORE, "a.jpg/v1/of-an-older-recipe.jpg": BEFORE}},
)


@pytest.mark.parametrize("subject", [GOOD, DELETED, REJECTED, OVERWRITTEN, DELETED_AND_BACK, OF_NO_RECIPE])
def test_matching_image_has_no_difference(subject: Image) -> None:
    assert list(differences(subject, NOW)) == []


def test_recent_differences_are_ignored() -> None:
    for subject in (
        image(version()),
        image(version(), items=[item(notified_dedup_id=None), current()]),
        image(items=[item(), current()]),
        image(derivatives=derivatives("v1")),
        image(version(), marker=version("m"), items=[item(), current()]),
    ):
        assert list(differences(subject, NOW)), "otherwise this test proves nothing"
        assert list(differences(subject, BEFORE - timedelta(minutes=1))) == []


def test_missing_record_gets_an_early_sequencer() -> None:
    found = only(image(version(), derivatives=derivatives("v1")))
    assert found.kind is Kind.MISSING
    assert found.event
    assert found.event.about == {"size": 7, "etag": "etag", "version-id": "v1", "sequencer": "0" * 31 + "1"}


def test_lost_overwrite_follows_the_recorded_one() -> None:
    found = only(image(version("v2"), version("v1"), items=[item(), current()], derivatives=derivatives("v1")))
    assert (found.kind, found.version) == (Kind.MISSING, "v2")
    assert found.event
    assert SEQUENCER < found.event.about["sequencer"] < LATER


def test_lost_old_version_does_not_become_current() -> None:
    items = [item("v2", sequencer=LATER), current("v2", sequencer=LATER)]
    found = only(image(version("v2"), version("v1"), items=items, derivatives=derivatives("v2")))
    assert (found.kind, found.version) == (Kind.MISSING, "v1")
    assert found.event
    assert found.event.about["sequencer"] == "0" * 32


def test_restored_image_is_processed_again() -> None:
    items = [item(status="Deleted", sequencer=LATER), item("m", "Deleted", LATER), current("m", "Deleted", LATER)]
    found = only(image(version(), items=items))
    assert (found.kind, found.version) == (Kind.MISSING, "v1")
    assert found.event
    assert found.event.about["sequencer"] > LATER


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        (image(version(), items=[item(notified_dedup_id=None), current()], derivatives=derivatives("v1")), Kind.STUCK),
        (image(version(), items=[item()], derivatives=derivatives("v1")), Kind.STUCK),
        (image(version(), items=[item(), current()]), Kind.INCOMPLETE),
    ],
)
def test_stuck_record_gets_the_same_event(subject: Image, kind: Kind) -> None:
    found = only(subject)
    assert found.kind is kind
    assert found.event
    assert found.event.kind == "Object Created"
    assert found.event.about["sequencer"] == SEQUENCER
    assert found.event.time == "2026-03-01T11:00:00Z"


def test_wrong_current_record_is_repaired() -> None:
    items = [item(), item("v2", sequencer=LATER), current("v1", sequencer=LATER)]
    found = only(image(version("v2"), version("v1"), items=items, derivatives=derivatives("v1", "v2")))
    assert (found.kind, found.version) == (Kind.STUCK, "v2")
    assert found.event
    assert found.event.about["sequencer"] == LATER


def test_hidden_original_gets_its_markers_event() -> None:
    marked = image(version(), marker=version("m"), items=[item(), current()], derivatives=derivatives("v1"))
    found = only(marked)
    assert found.kind is Kind.GONE
    assert found.event
    assert found.event.more["deletion-type"] == "Delete Marker Created"
    assert found.event.about["version-id"] == "m"
    assert SEQUENCER < found.event.about["sequencer"] < LATER


def test_missing_original_gets_its_deletion() -> None:
    found = only(image(items=[item(), current()], derivatives=derivatives("v1")))
    assert found.kind is Kind.GONE
    assert found.event
    assert found.event.more["deletion-type"] == "Permanently Deleted"
    assert found.event.about["version-id"] == "v1"


def test_purged_version_closes_its_record() -> None:
    items = [item(), item("v2", sequencer=LATER), current("v2", sequencer=LATER)]
    found = only(image(version("v2"), items=items, derivatives=derivatives("v1", "v2")))
    assert (found.kind, found.version) == (Kind.GONE, "v1")
    assert found.event
    assert found.event.about["sequencer"] < LATER


def test_unnotified_deletion_is_repeated() -> None:
    items = [item("m", "Deleted", notified_dedup_id=None), current("m", "Deleted")]
    found = only(image(version(), marker=version("m"), items=items))
    assert found.kind is Kind.STUCK
    assert found.event
    assert (found.event.kind, found.event.about["sequencer"]) == ("Object Deleted", SEQUENCER)


# The item of a version of which only the deletion was recorded.
BARE = {
    name: value
    for name, value in item("v0", "Deleted", deleted_at="2026-03-01T11:00:00Z").items()
    if name not in {"uploaded_at", "dedup_id", "notified_dedup_id"}
}


@pytest.mark.parametrize(
    "subject",
    [
        image(version(), marker=version("m"), items=[BARE, item("m", "Deleted"), current("m", "Deleted")]),
        image(version(), items=[BARE, item(), current()], derivatives=derivatives("v1")),
        image(version(), version("v0"), items=[BARE, item(), current()], derivatives=derivatives("v1")),
    ],
)
def test_item_of_an_unrecorded_version_is_ignored(subject: Image) -> None:
    assert list(differences(subject, NOW)) == []


def test_restored_original_is_processed() -> None:
    bare = {**BARE, "version": "v1", "record": "version#v1"}
    found = only(image(version(), items=[bare, current("m", "Deleted")]))
    assert (found.kind, found.version) == (Kind.MISSING, "v1")


@pytest.mark.parametrize("derived", [{}, derivatives("v1")], ids=["without objects", "with objects"])
@pytest.mark.parametrize("marker", [None, version("m")], ids=["for good", "hidden"])
def test_deleted_image_closes_a_processed_version(derived: dict[str, Any], marker: Version | None) -> None:
    items = [item(), item("m", "Deleted", LATER), current("m", "Deleted", LATER)]
    versions = [version()] if marker else []
    found = only(image(*versions, items=items, marker=marker, derivatives=derived))
    assert (found.kind, found.version) == (Kind.GONE, "v1")
    assert found.event
    assert found.event.more["deletion-type"] == "Permanently Deleted"
    assert found.event.about["version-id"] == "v1"
    assert SEQUENCER < found.event.about["sequencer"] < LATER


@pytest.mark.parametrize("written", ["2026-03-01T11:00:02.500Z", "2026-03-01T11:00:02.500000+00:00"])
def test_event_time_has_s3s_format(written: str) -> None:
    for subject in (
        image(items=[item(recorded_at=written)]),
        image(items=[item("m", "Deleted", notified_dedup_id=None, recorded_at=written), current("m", "Deleted")]),
    ):
        event = only(subject).event
        assert event
        assert event.time == "2026-03-01T11:00:02Z"


def test_deletion_names_a_version_without_id() -> None:
    items = [item(SEQUENCER), item(LATER, "Deleted", LATER), current(LATER, "Deleted", LATER)]
    found = only(image(version(), marker=version("m"), items=items))
    assert found.kind is Kind.GONE
    assert found.event
    assert found.event.about == {"version-id": SEQUENCER, "sequencer": SEQUENCER}


def test_deleted_image_without_current_is_closed() -> None:
    assert only(image(items=[item()])).kind is Kind.GONE


@pytest.mark.parametrize("sequencer", [SEQUENCER, "0062E99A77DC407460".ljust(32, "0")])
def test_unnotified_version_deletion_is_repeated(sequencer: str) -> None:
    unnotified = item("v0", "Deleted", sequencer, notified_dedup_id=None, deleted_at="2026-03-01T11:00:01Z")
    found = only(image(version(), items=[unnotified, item(), current()], derivatives=derivatives("v1")))
    assert (found.kind, found.version) == (Kind.STUCK, "v0")
    assert found.event
    assert found.event.kind == "Object Deleted"
    assert found.event.more["deletion-type"] == "Permanently Deleted", "the image lives"
    assert found.event.about == {"version-id": "v0", "sequencer": sequencer}
    assert found.event.time == "2026-03-01T11:00:01Z"


def test_restored_version_is_reported_once() -> None:
    items = [item(status="Deleted", notified_dedup_id=None), current("v1", "Deleted")]
    assert only(image(version(), items=items)).kind is Kind.MISSING


def test_unnotified_rejection_ends_as_deleted() -> None:
    items = [
        item(status="Rejected", notified_dedup_id=None),
        item("m", "Deleted", LATER),
        current("m", "Deleted", LATER),
    ]
    found = only(image(version(), marker=version("m"), items=items))
    assert (found.kind, found.version) == (Kind.STUCK, "v1")


def test_recent_deletion_is_ignored() -> None:
    items = [item(), item("m", "Deleted", LATER), current("m", "Deleted", LATER)]
    young = version("m", NOW + timedelta(seconds=1))
    assert list(differences(image(version(), items=items, marker=young), NOW)) == []


def test_derivatives_without_record_are_orphans() -> None:
    found = only(image(derivatives=derivatives("v1")))
    assert found.kind is Kind.ORPHANED
    assert found.remove == ("a.jpg/v1/web.webp",)
    deleted = image(marker=version("m"), items=[item("m", "Deleted"), current("m", "Deleted")])
    deleted.derivatives = derivatives("v1")
    assert only(deleted).kind is Kind.ORPHANED


def test_recent_derivatives_are_not_orphans() -> None:
    kinds = [difference.kind for difference in differences(image(version(), derivatives=derivatives("v1")), NOW)]
    assert kinds == [Kind.MISSING]


@pytest.mark.parametrize(
    ("subject", "kind"), [(image(version()), Upload), (image(items=[item(), current()]), Deletion)]
)
def test_pipeline_parses_repair_events(resources: Resources, subject: Image, kind: type) -> None:
    event = only(subject).event
    assert event
    parsed = parse(body_of(resources, "a.jpg", event))
    assert isinstance(parsed, kind)
    assert (parsed.key, parsed.bucket) == ("a.jpg", resources.originals)
