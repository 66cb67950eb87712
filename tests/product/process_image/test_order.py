"""In the end the records match S3, for any changes of an image and any order of its events.

Events of one image are delivered late, twice and in any order, and the function fails in between. The table follows the
two rules of the record workflow that decide the current version. The workflow itself is tested end to end.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from process_image.processor import Processor
from process_image.settings import Settings
from process_image.storage import Derivatives, Originals
from tests.product.process_image.originals import ENVIRONMENT, PROCESSED, Bus, OriginalsBucket
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

    from process_image.events import Deletion, OutcomeEvent, Upload

FILES = [encode(draw((40, 30))), encode(draw((30, 40))), b"no image"]
KEY = "a"


@dataclass
class Table:
    """The table according to the workflow: the newest event of each version, and the current version."""

    sequencers: dict[str, str] = field(default_factory=dict)
    current: dict[str, Any] = field(default_factory=lambda: {"sequencer": "", "status": "none"})

    def record(self, event: OutcomeEvent) -> None:
        detail = event.detail
        if self.sequencers.get(detail["version"], "") > detail["sequencer"]:
            return
        self.sequencers[detail["version"]] = detail["sequencer"]
        moves = detail["status"] != "VersionDeleted"
        if moves and self.current["sequencer"] <= detail["sequencer"]:
            self.current = detail


class Mortal:
    """Ends the function at its nth call of S3."""

    def __init__(self, s3: S3Client) -> None:
        self._left = -1
        s3.meta.events.register_first("before-call.s3", self._call)

    def dies_after(self, calls: int) -> None:
        self._left = calls

    def _call(self, **_: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise ConnectionClosedError(endpoint_url="https://s3")


OPERATIONS = st.lists(
    st.sampled_from(["put 0", "put 1", "put 2", "delete", "undelete", "purge latest", "purge first"]),
    min_size=1,
    max_size=6,
)
CRASHES = st.lists(st.integers(0, 12), max_size=6)


@given(OPERATIONS, CRASHES, st.integers(0, 5), st.randoms(use_true_random=False))
@example(["put 0", "delete", "undelete"], [], 3, random.Random(1))
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_records_match_s3_in_the_end(
    session: boto3.Session, operations: list[str], crashes: list[int], early: int, chance: random.Random
) -> None:
    with mock_aws():
        s3 = session.client("s3")
        s3.create_bucket(Bucket=PROCESSED, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        world = World(s3, chance)
        for operation in operations:
            world.do(operation)
            if chance.randrange(6) < early and world.pending:
                world.deliver(chance.randrange(len(world.pending)), crashes.pop() if crashes else 0)
        while world.pending:
            world.deliver(chance.randrange(len(world.pending)), crashes.pop() if crashes else 0)
        world.check()


class World:
    """A bucket with one image, its pending events, and the function."""

    def __init__(self, s3: S3Client, chance: random.Random) -> None:
        self.pending: list[Upload | Deletion] = []
        self._s3, self._chance = s3, chance
        self._bucket = OriginalsBucket(s3, versioned=True)
        self._bus = Bus()
        self._mortal = Mortal(s3)
        configuration = Settings.from_environment(ENVIRONMENT)
        self._processor = Processor(
            configuration, Originals(s3), Derivatives(s3, PROCESSED, configuration.recipe), self._bus
        )

    def do(self, operation: str) -> None:
        """Change the image. Its event is then pending, perhaps twice."""
        what, _, which = operation.partition(" ")
        event: Upload | Deletion
        if what == "put":
            event = self._bucket.put(KEY, FILES[int(which)])
        elif what == "delete":
            event = self._bucket.delete(KEY)
            if event.version_id is None:  # moto, unlike S3, adds no delete marker if there is no object
                return
        else:
            found = self._s3.list_object_versions(Bucket=self._bucket.name, Prefix=KEY)
            markers = [one["VersionId"] for one in found.get("DeleteMarkers", ()) if one["IsLatest"]]
            versions = [one["VersionId"] for one in found.get("Versions", ())]
            candidates = markers if what == "undelete" else versions if which == "latest" else versions[::-1]
            if not candidates:
                return
            event = self._bucket.delete_version(KEY, candidates[0])
        self.pending += [event] * self._chance.choice([1, 1, 2])

    def deliver(self, index: int, dies_after: int) -> None:
        """Deliver an event. If the function fails, the event is pending again."""
        event = self.pending.pop(index)
        self._mortal.dies_after(dies_after)
        try:
            self._processor.handle(event)
        except ConnectionClosedError:
            self.pending.append(event)
        self._mortal.dies_after(-1)

    def check(self) -> None:
        """Compare records and derivatives with S3."""
        table = Table()
        announced = list(self._bus.announced)
        self._chance.shuffle(announced)
        for event in announced:
            table.record(event)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=PROCESSED)
        stored = {item["Key"] for page in pages for item in page.get("Contents", ())}
        try:
            head = self._s3.head_object(Bucket=self._bucket.name, Key=KEY)
        except ClientError:
            assert table.current["status"] in {"Deleted", "none"}
            assert stored == set()
            return
        data = self._s3.get_object(Bucket=self._bucket.name, Key=KEY)["Body"].read()
        assert table.current["version"] == head["VersionId"]
        assert table.current["status"] == ("Rejected" if data == FILES[2] else "Processed")
        assert {one["key"] for one in table.current.get("variants", ())} <= stored
