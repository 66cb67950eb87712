"""Every time of a journey comes from a service; other times stay unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.hops import Hop
from scripts.demo.journey import SOURCES, FunctionLog, learn, learn_listing, learn_record, read_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.demo.journey import Journey, Observation
    from tests.support.demo_samples import Sample


def learn_all(journey: Journey, observations: Iterable[Observation]) -> bool:
    news = [learn(journey, one) for one in observations]
    return any(news)


def test_new_journey_has_no_data(journey: Journey) -> None:
    assert [journey.seconds(hop) for hop in Hop] == [None] * len(Hop)
    assert journey.total is None
    assert journey.next_hop is Hop.UPLOADED
    assert journey.status == "Not recorded"
    assert not journey.over


def test_times_count_from_the_start_of_the_upload(finished: Journey) -> None:
    times = {hop: finished.seconds(hop) for hop in Hop}
    expected = {
        Hop.UPLOADED: 0.05,
        Hop.ROUTED: 0.06,
        Hop.PICKED_UP: 0.1,
        Hop.STORED: 0.7,
        Hop.ANNOUNCED: 0.8,
        Hop.RECORDED: 0.9,
        Hop.NOTIFIED: 1.0,
    }
    assert times == pytest.approx(expected, abs=0.0005)
    assert finished.total == pytest.approx(1.0, abs=0.0005)
    assert finished.complete
    assert finished.status == "Processed"
    assert finished.cold_start
    assert finished.next_hop is None


def test_first_time_of_a_hop_is_kept(journey: Journey, sample: Sample) -> None:
    assert learn_all(journey, read_message(sample.notified(delivered=1.0)))
    assert not learn_all(journey, read_message(sample.notified(delivered=7.0)))
    assert journey.total == pytest.approx(1.0)


def test_notification_does_not_complete_a_journey(journey: Journey, sample: Sample) -> None:
    learn_all(journey, read_message(sample.notified()))
    assert not journey.complete


def test_announced_mark_completes_a_journey(journey: Journey, sample: Sample) -> None:
    learn_all(journey, read_message(sample.notified()))
    states = []
    for items in (sample.items(announced=False), sample.items(), sample.items()):
        news = learn_record(journey, items)
        states.append((news, journey.complete))
    assert states == [(True, False), (True, True), (False, True)]


def test_record_does_not_complete_a_journey(journey: Journey, sample: Sample) -> None:
    learn_record(journey, sample.items())
    assert not journey.complete
    assert journey.seconds(Hop.RECORDED) == pytest.approx(0.9)


@pytest.mark.parametrize("kept", [[], [0], [1]])
def test_no_record_without_both_items(journey: Journey, sample: Sample, kept: list[int]) -> None:
    items = sample.items()
    assert not learn_record(journey, [items[index] for index in kept])
    assert not journey.times


def test_item_of_another_version_is_ignored(journey: Journey, sample: Sample) -> None:
    current, version = sample.items()
    assert not learn_record(journey, [current, {**version, "record": "version#another"}])


def test_a_rejected_image_stores_nothing(journey: Journey, sample: Sample) -> None:
    sample.status = "Rejected"
    assert Hop.STORED in journey.hops, "as long as its outcome is unknown"
    for message in (sample.uploaded(), sample.announced(), sample.notified()):
        learn_all(journey, read_message(message))
    learn_record(journey, sample.items())
    assert Hop.STORED not in journey.hops
    assert journey.status == "Rejected"
    assert journey.reason == {"code": "unreadable_image", "message": "it is damaged"}
    assert journey.complete


@pytest.mark.parametrize(
    "body",
    [
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {"object": {"key": "x"}}},
        {"source": "other.source", "detail-type": "Object Created", "detail": {}},
        {"Type": "SubscriptionConfirmation"},
    ],
)
def test_other_messages_are_ignored(body: dict[str, Any]) -> None:
    assert list(read_message({"Body": json.dumps(body), "Attributes": {"SentTimestamp": "1"}})) == []


def test_start_is_report_minus_duration(journey: Journey, sample: Sample) -> None:
    learn_all(journey, FunctionLog().read(sample.log(began=0.25, ended=2.0, cold=False)))
    assert journey.seconds(Hop.PICKED_UP) == pytest.approx(0.25, abs=0.001)
    assert not journey.cold_start


def test_log_can_arrive_in_pieces_and_twice(journey: Journey, sample: Sample) -> None:
    log, lines = FunctionLog(), sample.log(began=0.25, ended=2.0)
    learn_all(journey, log.read(lines[:3]))
    assert Hop.PICKED_UP not in journey.times, "unknown before the report"
    learn_all(journey, log.read(lines[3:]))
    assert journey.seconds(Hop.PICKED_UP) == pytest.approx(0.25, abs=0.001)
    assert not learn_all(journey, log.read(lines))


def test_batch_starts_all_its_images(sample: Sample) -> None:
    lines = sample.log()
    neighbour = {**lines[1], "message": lines[1]["message"].replace("dunes at dusk", "other")}
    observations = list(FunctionLog().read([lines[0], lines[1], neighbour, *lines[2:]]))
    picked_up = {one.image_id: one.when for one in observations if one.hop is Hop.PICKED_UP}
    assert set(picked_up) == {"20261121-193308/dunes at dusk.jpg", "20261121-193308/other.jpg"}
    assert len(set(picked_up.values())) == 1


def test_error_in_the_log_is_trouble(journey: Journey, sample: Sample) -> None:
    entry = {
        "level": "ERROR",
        "message": "This message failed",
        "exception": "Traceback (most recent call last):\n  …\nClientError: Access Denied",
        "image_id": sample.image_id,
        "function_request_id": "r-1",
    }
    log = FunctionLog()
    assert learn_all(journey, log.read([{"message": json.dumps(entry), "timestamp": 1}]))
    assert journey.trouble == "ClientError: Access Denied"
    del entry["image_id"], entry["exception"]
    assert list(log.read([{"message": json.dumps(entry), "timestamp": 2}] * 2)) == []
    assert log.errors == ["ClientError: Access Denied", "This message failed"]


@pytest.mark.parametrize("line", ["{cut off", "INIT_START Runtime Version", '{"level": "INFO"}', "{}"])
def test_other_log_lines_are_ignored(line: str) -> None:
    assert list(FunctionLog().read([{"message": line, "timestamp": 1}])) == []


def test_stored_is_the_time_of_the_last_derivative(journey: Journey, sample: Sample) -> None:
    assert not learn_listing(journey, sample.listing()), "only the event lists the derivatives"
    learn_all(journey, read_message(sample.announced()))
    assert not learn_listing(journey, sample.listing()[:1]), "a derivative is missing"
    assert learn_listing(journey, sample.listing(written=0.7))
    assert journey.seconds(Hop.STORED) == pytest.approx(0.7)


def test_whole_seconds_are_not_used_for_stored(journey: Journey, sample: Sample) -> None:
    learn_all(journey, read_message(sample.announced()))
    listing = [{**item, "LastModified": item["LastModified"].replace(microsecond=0)} for item in sample.listing()]
    assert not learn_listing(journey, listing)
    assert journey.seconds(Hop.STORED) is None


def test_no_time_without_a_beginning(finished: Journey) -> None:
    assert replace(finished, started=None).seconds(Hop.NOTIFIED) is None


def test_the_next_hop_follows_the_last_known_one(journey: Journey) -> None:
    assert journey.started is not None
    journey.note(Hop.UPLOADED, journey.started)
    journey.note(Hop.ANNOUNCED, journey.started + timedelta(seconds=1))
    assert journey.next_hop is Hop.RECORDED


def test_a_failed_upload_is_over(journey: Journey) -> None:
    journey.upload_failed = True
    assert journey.over
    assert not journey.complete
    assert journey.status == "Not uploaded"


def test_every_hop_says_where_its_time_was_read() -> None:
    assert list(SOURCES) == list(Hop)
    assert len(set(SOURCES.values())) == len(Hop)
