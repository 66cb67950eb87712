"""Every time of a journey comes from a service; other times stay unknown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.hops import Hop
from scripts.demo.journey import (
    SOURCES,
    FunctionLog,
    describe_original,
    describe_outcome,
    describe_variant,
    read_message,
)
from tests.support.demo_samples import Sample, finish, journey_of

if TYPE_CHECKING:
    from scripts.demo.journey import Journey


def receive(journey: Journey, *messages: dict[str, Any]) -> None:
    for message in messages:
        read_message(message, {journey.image_id: journey})


def read_log(journey: Journey, events: list[Any]) -> None:
    FunctionLog().read(events, {journey.image_id: journey})


def test_new_journey_has_no_data(journey: Journey) -> None:
    assert [journey.seconds(hop) for hop in Hop] == [None] * len(Hop)
    assert journey.total is None
    assert journey.status == "Not recorded"
    assert not journey.over


def test_times_count_from_the_start_of_the_upload(finished: Journey) -> None:
    times = {hop: finished.seconds(hop) for hop in Hop}
    expected = dict(zip(Hop, (0.05, 0.06, 0.1, 0.7, 0.8, 0.9, 1.0), strict=True))
    assert times == pytest.approx(expected, abs=0.0005)
    assert finished.complete
    assert finished.status == "Processed"
    assert finished.cold_start
    finished.started = None
    assert finished.total is None


def test_first_time_of_a_hop_is_kept(journey: Journey, sample: Sample) -> None:
    receive(journey, sample.notified(delivered=1.0), sample.notified(delivered=7.0))
    assert journey.total == pytest.approx(1.0)


def test_announced_mark_completes_a_journey(journey: Journey, sample: Sample) -> None:
    receive(journey, sample.notified())
    states = []
    for items in ([], sample.items(announced=False), sample.items()):
        journey.read_items(items)
        states.append((journey.seconds(Hop.RECORDED), journey.complete))
    assert states == [(None, False), (pytest.approx(0.9), False), (pytest.approx(0.9), True)]


def test_record_does_not_complete_a_journey(journey: Journey, sample: Sample) -> None:
    journey.read_items(sample.items())
    assert not journey.complete


@pytest.mark.parametrize("kept", [[], [0], [1]])
def test_no_record_without_both_items(journey: Journey, sample: Sample, kept: list[int]) -> None:
    items = sample.items()
    journey.read_items([items[index] for index in kept])
    assert not journey.times


def test_item_of_another_version_is_ignored(journey: Journey, sample: Sample) -> None:
    current, version = sample.items()
    journey.read_items([current, {**version, "version": "another", "record": "version#another"}])
    assert journey.record is None
    assert not journey.times


def test_a_rejected_image_stores_nothing(sample: Sample) -> None:
    sample.status = "Rejected"
    journey = journey_of(sample)
    assert Hop.STORED in journey.hops, "as long as its outcome is unknown"
    finish(journey, sample)
    assert Hop.STORED not in journey.hops
    assert journey.status == "Rejected"
    assert journey.reason == {"code": "unreadable_image", "message": "it is damaged"}
    assert describe_outcome(journey) == "unreadable_image: it is damaged"
    assert journey.complete


@pytest.mark.parametrize(
    "body",
    [
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {"object": {"key": "x"}}},
        {"source": "other.source", "detail-type": "Object Created", "detail": {}},
        {"Type": "SubscriptionConfirmation"},
        {"source": "darkroom", "detail": {"image_id": "of an interrupted run"}},
    ],
)
def test_other_messages_are_ignored(body: dict[str, Any], journey: Journey) -> None:
    receive(journey, {"Body": json.dumps(body), "Attributes": {"SentTimestamp": "1"}})
    assert not journey.times


def test_log_can_arrive_in_pieces_and_twice(journey: Journey, sample: Sample) -> None:
    log, journeys = FunctionLog(), {journey.image_id: journey}
    lines = sample.log(began=0.25, ended=2.0, cold=False)
    log.read(lines[:3], journeys)
    assert Hop.PICKED_UP not in journey.times, "unknown before the report"
    log.read(lines[3:], journeys)
    log.read(lines, journeys)
    assert journey.seconds(Hop.PICKED_UP) == pytest.approx(0.25, abs=0.001), "the report's time minus its duration"
    assert not journey.cold_start


def test_batch_starts_all_its_images(journey: Journey, sample: Sample) -> None:
    other = journey_of(Sample("other.jpg"))
    start, line, *end = sample.log()
    neighbour = {**line, "message": line["message"].replace(journey.image_id, other.image_id)}
    FunctionLog().read([start, line, neighbour, *end], {one.image_id: one for one in (journey, other)})
    assert journey.times[Hop.PICKED_UP] == other.times[Hop.PICKED_UP]


def test_error_in_the_log_is_trouble(journey: Journey, sample: Sample) -> None:
    line = {
        "level": "ERROR",
        "message": "This message failed",
        "exception": "Traceback (most recent call last):\n  …\nClientError: Access Denied",
        "image_id": sample.image_id,
        "function_request_id": "r-1",
    }
    other = {"level": "ERROR", "message": "This message failed"}
    log = FunctionLog()
    events = [{"message": json.dumps(entry), "timestamp": 1} for entry in (line, other, other)]
    log.read(events, {journey.image_id: journey})
    assert journey.trouble == "ClientError: Access Denied"
    assert log.errors == ["ClientError: Access Denied", "This message failed"]


@pytest.mark.parametrize("line", ["{cut off", "INIT_START Runtime Version", '{"level": "INFO"}', "{}"])
def test_other_log_lines_are_ignored(line: str, journey: Journey) -> None:
    read_log(journey, [{"message": line, "timestamp": 1}])
    assert not journey.times


def test_stored_is_the_time_of_the_last_derivative(journey: Journey, sample: Sample) -> None:
    journey.read_listing(sample.listing())
    assert not journey.times, "only the event lists the derivatives"
    receive(journey, sample.announced())
    journey.read_listing(sample.listing()[:1])
    assert Hop.STORED not in journey.times, "a derivative is missing"
    journey.read_listing([{**o, "LastModified": o["LastModified"].replace(microsecond=0)} for o in sample.listing()])
    assert Hop.STORED not in journey.times, "whole seconds are not precise"
    journey.read_listing(sample.listing(written=0.7))
    assert journey.seconds(Hop.STORED) == pytest.approx(0.7)


def test_a_failed_upload_is_over(journey: Journey) -> None:
    journey.upload_failed = True
    assert journey.over
    assert not journey.complete
    assert journey.status == "Not uploaded"


def test_every_hop_has_its_source() -> None:
    assert list(SOURCES) == list(Hop)


def test_texts_have_pixels_sizes_and_changes(finished: Journey, journey: Journey) -> None:
    assert describe_original(journey) == "400.0 kB"
    assert describe_original(finished) == "3000×2000 jpeg 400.0 kB"  # noqa: RUF001 - a multiplication sign is meant
    thumbnail = finished.variants[0]
    assert describe_variant(finished, thumbnail) == "thumbnail 256×192 25.6 kB -93.6%"  # noqa: RUF001


def test_an_outcome_says_how_far_it_came(journey: Journey, sample: Sample) -> None:
    assert describe_outcome(journey) == "no known hop"
    receive(journey, sample.uploaded())
    assert describe_outcome(journey) == "last known hop: routed"
    journey.trouble = "AccessDenied"
    assert describe_outcome(journey) == "AccessDenied"
