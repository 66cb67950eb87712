"""Object events of S3, which come in, and outcome events, which go out: parsed and built only here.

The contracts are in the folder `events/`: patterns, schemas and examples.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from darkroom_shared.object_events import RECONCILE, SEQUENCER_DIGITS, pad_sequencer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from process_image.image import Original, RejectedImageError

SOURCE = "darkroom"
SCHEMA_VERSION = 1

SUMMARY_CHARACTERS = 99  # SNS limits a subject to less than 100

_ANYTHING = re.compile(r".+", re.DOTALL)
_HEXADECIMAL = re.compile(rf"[0-9A-Fa-f]{{1,{SEQUENCER_DIGITS}}}")
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
_HIDES_IMAGE = {"Delete Marker Created": True, "Permanently Deleted": False}
# presign_upload creates UUIDs, API Gateway its extended request ids (docs/decisions/0015-ids-of-uploads.md).
_MINTED_KEY = re.compile(
    r"(?P<owner>[^/]+)/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9_-]{8,64}=)"
)


class MalformedEventError(ValueError):
    """A message is not an object event. This is a failure, so the message ends in the DLQ unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent:
    """An event about one object.

    Attributes:
        bucket: Name of the bucket.
        key: Key of the object, raw, as EventBridge delivers it. It is the image's id.
        version_id: S3's version id; None if the bucket keeps no versions.
        sequencer: Position among the events of the same key: upper-case hexadecimal, padded with zeros on the
            right to 32 digits, so that the order of strings is the order of events.
        time: Time of the event, RFC 3339.
        late: True if the event was sent long after that time: from an archive, or by `darkroom reconcile`.
    """

    bucket: str
    key: str
    version_id: str | None
    sequencer: str
    time: str
    late: bool = False

    @property
    def version(self) -> str:
        """Name of the version in keys and records: S3's id, or the sequencer if the bucket keeps no versions."""
        return self.version_id or self.sequencer

    @property
    def owner(self) -> str | None:
        """Owner in a key that the API created (`{owner}/{id}`)."""
        minted = _MINTED_KEY.fullmatch(self.key)
        return minted["owner"] if minted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload(ObjectEvent):
    """An "Object Created" event.

    Attributes:
        etag: Digest that identifies the object's bytes.
        size: Size in bytes.
    """

    etag: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion(ObjectEvent):
    """An "Object Deleted" event.

    Attributes:
        whole_image: True for a delete marker, and for any deletion in a bucket without versions: the image is
            deleted. False if one version was deleted permanently: another one may be the current one now.
    """

    whole_image: bool


def parse(body: str) -> Upload | Deletion:
    """Read one object event from the body of a queue's message.

    Raises:
        MalformedEventError: The body is something else.
    """
    try:
        event = json.loads(body)
        detail_type, detail = event["detail-type"], event["detail"]
        about = detail["object"]
        version_id = about.get("version-id")
        common: dict[str, Any] = {
            "bucket": _text(detail["bucket"]["name"]),
            "key": _text(about["key"]),
            "version_id": None if version_id in (None, "null") else _text(version_id),
            "sequencer": pad_sequencer(_text(about["sequencer"], _HEXADECIMAL)),
            "time": _text(event["time"], _UTC),
            "late": "replay-name" in event or detail.get("reason") == RECONCILE,
        }
        if detail_type == "Object Created":
            return Upload(**common, etag=_text(about["etag"]).strip('"'), size=_size(about["size"]))
        if detail_type == "Object Deleted":
            hidden = _HIDES_IMAGE[detail["deletion-type"]]
            return Deletion(**common, whole_image=hidden or common["version_id"] is None)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise MalformedEventError(f"not an object event of S3: {error!r}") from error
    raise MalformedEventError(f"the event's type is {detail_type!r}, not Object Created or Object Deleted")


def _text(value: object, pattern: re.Pattern[str] = _ANYTHING) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is not a text like {pattern.pattern}")
    value.encode()  # half a character (a lone surrogate) cannot be sent on
    return value


def _size(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a size in bytes")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVariant:
    """One derivative in the processed bucket; `width` and `height` in pixels."""

    name: str
    key: str
    width: int
    height: int
    bytes: int
    content_type: str


@dataclass(frozen=True, slots=True)
class OutcomeEvent:
    """An event for the bus: its type and its detail."""

    detail_type: str
    detail: dict[str, Any]


def image_processed(
    upload: Upload,
    *,
    owner: str | None,
    recipe: str,
    original: Original,
    bucket: str,
    variants: Sequence[StoredVariant],
) -> OutcomeEvent:
    """Return the event of a version whose derivatives are all stored in `bucket`."""
    count = f"{len(variants)} variant{'' if len(variants) == 1 else 's'}"
    return _event(
        "Processed",
        upload,
        identity=(recipe,),
        owner=owner,
        recipe=recipe,
        time={"uploaded_at": upload.time},
        summary=f"processed, {count}",
        original={"bucket": upload.bucket, **asdict(original)},
        variants_bucket=bucket,
        variants=[asdict(variant) for variant in variants],
    )


def image_rejected(
    upload: Upload, *, owner: str | None, recipe: str, size: int, rejection: RejectedImageError
) -> OutcomeEvent:
    """Return the event of an original of `size` bytes that is rejected now and at any later attempt."""
    return _event(
        "Rejected",
        upload,
        owner=owner,
        recipe=recipe,
        time={"uploaded_at": upload.time},
        summary=f"rejected, {rejection.code}",
        original={"bucket": upload.bucket, "bytes": size},
        reason={"code": rejection.code, "message": str(rejection)},
    )


def image_deleted(
    about: ObjectEvent, *, deleted_at: str, recipe: str, deleted_versions: Sequence[str], part: int = 0
) -> OutcomeEvent:
    """Return the event of a deleted image, and of the derivatives of `deleted_versions` with it.

    An image with too many versions for one event has several. Their `part` counts from 0; the parts after the
    first name the remaining versions, and cause no notification.
    """
    return _event(
        "Deleted",
        about,
        identity=(str(part),) if part else (),
        owner=about.owner,
        recipe=recipe,
        time={"deleted_at": deleted_at},
        summary="deleted",
        deleted_versions=list(deleted_versions),
        part=part,
    )


def image_version_deleted(about: ObjectEvent, *, deleted_at: str, recipe: str) -> OutcomeEvent:
    """Return the event of a deleted version of an image that still exists."""
    return _event(
        "Version Deleted",
        about,
        owner=about.owner,
        recipe=recipe,
        time={"deleted_at": deleted_at},
        summary="version deleted",
    )


def _event(
    outcome: str,
    about: ObjectEvent,
    *,
    summary: str,
    owner: str | None,
    recipe: str,
    time: dict[str, str],
    identity: tuple[str, ...] = (),
    **more: object,
) -> OutcomeEvent:
    status = outcome.replace(" ", "")
    # A repeated deletion may find that the image was restored. It is the same deletion, so it has the same id.
    announced = json.dumps([about.key, about.version, status.removeprefix("Version"), *identity])
    detail = {
        "schema_version": SCHEMA_VERSION,
        "status": status,
        "image_id": about.key,
        "version": about.version,
        "sequencer": about.sequencer,
        "owner": owner,
        "recipe": recipe,
        **time,
        "dedup_id": hashlib.sha256(announced.encode()).hexdigest(),
        "summary": _summary(about.key, summary),
        **more,
    }
    return OutcomeEvent(f"Image {outcome}", detail)


def _summary(key: str, outcome: str) -> str:
    """Return one line that SNS accepts as a subject: printable ASCII, with the end of a long key."""
    room = SUMMARY_CHARACTERS - len(f"Image : {outcome}")
    name = re.sub(r"[^ -~]", "?", key)
    if len(name) > room:
        name = "..." + name[-(room - 3) :]
    return f"Image {name}: {outcome}"
