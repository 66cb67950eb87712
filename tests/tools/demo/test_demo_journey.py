"""Every time of a journey comes from what a service told; what was not told stays unknown."""

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

    from scripts.demo.journey import Heard, Journey
    from tests.support.demo_samples import Told


def tell(journey: Journey, heard: Iterable[Heard]) -> bool:
    news = [learn(journey, one) for one in heard]
    return any(news)


def test_nothing_is_known_before_it_is_told(journey: Journey) -> None:
    assert [journey.seconds(hop) for hop in Hop] == [None] * len(Hop)
    assert journey.total is None
    assert journey.next_hop is Hop.UPLOADED
    assert journey.status == "Not recorded"
    assert not journey.over


def test_all_times_count_from_the_beginning_of_the_upload(finished: Journey) -> None:
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


def test_the_first_time_of_a_hop_stays(journey: Journey, told: Told) -> None:
    assert tell(journey, read_message(told.notified(delivered=1.0)))
    assert not tell(journey, read_message(told.notified(delivered=7.0)))
    assert journey.total == pytest.approx(1.0)


def test_a_notification_alone_does_not_complete_it(journey: Journey, told: Told) -> None:
    tell(journey, read_message(told.notified()))
    assert not journey.complete


def test_it_is_complete_once_it_is_marked_as_announced(journey: Journey, told: Told) -> None:
    tell(journey, read_message(told.notified()))
    states = []
    for items in (told.items(announced=False), told.items(), told.items()):
        news = learn_record(journey, items)
        states.append((news, journey.complete))
    assert states == [(True, False), (True, True), (False, True)]


def test_a_record_alone_does_not_complete_it(journey: Journey, told: Told) -> None:
    learn_record(journey, told.items())
    assert not journey.complete
    assert journey.seconds(Hop.RECORDED) == pytest.approx(0.9)


@pytest.mark.parametrize("kept", [[], [0], [1]])
def test_no_record_without_both_items(journey: Journey, told: Told, kept: list[int]) -> None:
    items = told.items()
    assert not learn_record(journey, [items[index] for index in kept])
    assert not journey.times


def test_another_versions_item_is_not_taken_for_this_one(journey: Journey, told: Told) -> None:
    current, version = told.items()
    assert not learn_record(journey, [current, {**version, "record": "version#another"}])


def test_a_rejected_image_stores_nothing(journey: Journey, told: Told) -> None:
    told.status = "Rejected"
    assert Hop.STORED in journey.hops, "as long as its outcome is unknown"
    for message in (told.uploaded(), told.announced(), told.notified()):
        tell(journey, read_message(message))
    learn_record(journey, told.items())
    assert Hop.STORED not in journey.hops
    assert journey.status == "Rejected"
    assert journey.reason == {"code": "unreadable_image", "message": "it is damaged"}
    assert journey.complete


@pytest.mark.parametrize(
    "body",
    [
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {"object": {"key": "x"}}},
        {"source": "somebody.else", "detail-type": "Object Created", "detail": {}},
        {"Type": "SubscriptionConfirmation"},
    ],
)
def test_other_messages_tell_nothing(body: dict[str, Any]) -> None:
    assert list(read_message({"Body": json.dumps(body), "Attributes": {"SentTimestamp": "1"}})) == []


def test_an_invocation_begins_its_duration_before_its_report(journey: Journey, told: Told) -> None:
    tell(journey, FunctionLog().read(told.log(began=0.25, ended=2.0, cold=False)))
    assert journey.seconds(Hop.PICKED_UP) == pytest.approx(0.25, abs=0.001)
    assert not journey.cold_start


def test_a_log_may_come_in_pieces_and_twice(journey: Journey, told: Told) -> None:
    log, lines = FunctionLog(), told.log(began=0.25, ended=2.0)
    tell(journey, log.read(lines[:3]))
    assert Hop.PICKED_UP not in journey.times, "unknown before the report"
    tell(journey, log.read(lines[3:]))
    assert journey.seconds(Hop.PICKED_UP) == pytest.approx(0.25, abs=0.001)
    assert not tell(journey, log.read(lines))


def test_a_batch_tells_of_each_of_its_images(told: Told) -> None:
    lines = told.log()
    neighbour = {**lines[1], "message": lines[1]["message"].replace("dunes at dusk", "other")}
    heard = list(FunctionLog().read([lines[0], lines[1], neighbour, *lines[2:]]))
    picked_up = {one.image_id: one.when for one in heard if one.hop is Hop.PICKED_UP}
    assert set(picked_up) == {"20261121-193308/dunes at dusk.jpg", "20261121-193308/other.jpg"}
    assert len(set(picked_up.values())) == 1


def test_an_error_in_the_log_is_kept_as_trouble(journey: Journey, told: Told) -> None:
    entry = {
        "level": "ERROR",
        "message": "This message failed",
        "exception": "Traceback (most recent call last):\n  …\nClientError: Access Denied",
        "image_id": told.image_id,
        "function_request_id": "r-1",
    }
    log = FunctionLog()
    assert tell(journey, log.read([{"message": json.dumps(entry), "timestamp": 1}]))
    assert journey.trouble == "ClientError: Access Denied"
    del entry["image_id"], entry["exception"]
    assert list(log.read([{"message": json.dumps(entry), "timestamp": 2}] * 2)) == []
    assert log.errors == ["ClientError: Access Denied", "This message failed"]


@pytest.mark.parametrize("line", ["{cut off", "INIT_START Runtime Version", '{"level": "INFO"}', "{}"])
def test_other_lines_of_a_log_tell_nothing(line: str) -> None:
    assert list(FunctionLog().read([{"message": line, "timestamp": 1}])) == []


def test_stored_is_when_the_last_derivative_was_written(journey: Journey, told: Told) -> None:
    assert not learn_listing(journey, told.listing()), "which ones there are, the event tells"
    tell(journey, read_message(told.announced()))
    assert not learn_listing(journey, told.listing()[:1]), "not all are there"
    assert learn_listing(journey, told.listing(written=0.7))
    assert journey.seconds(Hop.STORED) == pytest.approx(0.7)


def test_whole_seconds_are_too_coarse_to_say_when_it_was_stored(journey: Journey, told: Told) -> None:
    tell(journey, read_message(told.announced()))
    listing = [{**item, "LastModified": item["LastModified"].replace(microsecond=0)} for item in told.listing()]
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
