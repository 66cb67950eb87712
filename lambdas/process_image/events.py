"""The events that come in and go out: parsed and built here and nowhere else.

Their contracts, as patterns, schemas and examples, are in the folder `events/`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from process_image.image import Original, RejectedImageError

SOURCE = "darkroom"
SCHEMA_VERSION = 1

RECONCILED = "reconcile"  # the reason in the events of `darkroom reconcile`, where S3's name an operation

SEQUENCER_DIGITS = 32
SUMMARY_CHARACTERS = 99  # SNS wants a subject of less than 100

_ANYTHING = re.compile(r".+", re.DOTALL)
_HEXADECIMAL = re.compile(rf"[0-9A-Fa-f]{{1,{SEQUENCER_DIGITS}}}")
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
_HIDES_IMAGE = {"Delete Marker Created": True, "Permanently Deleted": False}
# presign_upload mints UUIDs, API Gateway its extended request ids (docs/decisions/0015-ids-of-uploads.md).
_MINTED_KEY = re.compile(
    r"(?P<owner>[^/]+)/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9_-]{8,64}=)"
)


class MalformedEventError(ValueError):
    """A message is not an S3 event: a failure, so that it ends in the dead-letter queue as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent:
    """What S3 says of one object.

    Attributes:
        bucket: Name of the bucket.
        key: The object's key, raw, as EventBridge delivers it; it is the image's id.
        version_id: S3's version id; none where the bucket keeps no versions.
        sequencer: The event's place among those of the same key: hexadecimal, upper case, padded on the
            right with zeros to 32 digits, so that the order of strings is the order of events.
        time: When it happened, RFC 3339.
        late: It was sent long after it happened: from an archive, or by `darkroom reconcile`.
    """

    bucket: str
    key: str
    version_id: str | None
    sequencer: str
    time: str
    late: bool = False

    @property
    def version(self) -> str:
        """The version's name in keys and records: S3's, or the sequencer where S3 keeps no versions."""
        return self.version_id or self.sequencer

    @property
    def owner(self) -> str | None:
        """Owner that a minted key (`{owner}/{id}`) names."""
        minted = _MINTED_KEY.fullmatch(self.key)
        return minted["owner"] if minted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload(ObjectEvent):
    """An "Object Created" event.

    Attributes:
        etag: Tells these bytes from those of an overwrite.
        size: Bytes.
    """

    etag: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion(ObjectEvent):
    """An "Object Deleted" event.

    Attributes:
        whole_image: A delete marker, or a bucket without versions: the image is gone.
            Otherwise one version was deleted for good and another may be the current one now.
    """

    whole_image: bool


def parse(body: str) -> Upload | Deletion:
    """Read one S3 event as EventBridge puts it into the queue.

    Raises:
        MalformedEventError: It is something else.
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
            "sequencer": _text(about["sequencer"], _HEXADECIMAL).upper().ljust(SEQUENCER_DIGITS, "0"),
            "time": _text(event["time"], _UTC),
            "late": "replay-name" in event or detail.get("reason") == RECONCILED,
        }
        if detail_type == "Object Created":
            return Upload(**common, etag=_text(about["etag"]).strip('"'), size=_size(about["size"]))
        if detail_type == "Object Deleted":
            hidden = _HIDES_IMAGE[detail["deletion-type"]]
            return Deletion(**common, whole_image=hidden or common["version_id"] is None)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise MalformedEventError(f"not an S3 event: {error!r}") from error
    raise MalformedEventError(f"an event of type {detail_type!r}, which is none of an object's")


def _text(value: object, pattern: re.Pattern[str] = _ANYTHING) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r} where a text like {pattern.pattern} should be")
    value.encode()  # half a character (a lone surrogate) cannot be sent on
    return value


def _size(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no size")
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
class ImageEvent:
    """An event for the bus: its type and its detail."""

    detail_type: str
    detail: dict[str, Any]


def image_processed(
    about: ObjectEvent,
    *,
    owner: str | None,
    recipe: str,
    original: Original,
    bucket: str,
    variants: Sequence[StoredVariant],
) -> ImageEvent:
    """All derivatives of a version are stored in `bucket`."""
    count = f"{len(variants)} variant{'' if len(variants) == 1 else 's'}"
    return _event(
        "Processed",
        about,
        identity=(recipe,),
        owner=owner,
        recipe=recipe,
        summary=f"processed, {count}",
        original={"bucket": about.bucket, **asdict(original)},
        bucket=bucket,
        variants=[asdict(variant) for variant in variants],
    )


def image_rejected(
    about: ObjectEvent, *, owner: str | None, recipe: str, size: int, rejection: RejectedImageError
) -> ImageEvent:
    """An original of `size` bytes cannot be accepted, now or at any later try."""
    return _event(
        "Rejected",
        about,
        owner=owner,
        recipe=recipe,
        summary=f"rejected, {rejection.code}",
        original={"bucket": about.bucket, "bytes": size},
        reason={"code": rejection.code, "message": str(rejection)},
    )


def image_deleted(
    about: ObjectEvent, *, recipe: str, image_deleted: bool, deleted_versions: Sequence[str], part: int = 0
) -> ImageEvent:
    """A version, or with `image_deleted` the whole image, is gone, and so are the derivatives of `deleted_versions`.

    An image of very many versions is told of in several events. The first is what is announced; the others, whose
    `part` counts on from 0, name the rest of the versions.
    """
    return _event(
        "Deleted",
        about,
        identity=(str(part),) if part else (),
        owner=about.owner,
        recipe=recipe,
        summary="deleted" if image_deleted else "version deleted",
        image_deleted=image_deleted,
        deleted_versions=list(deleted_versions),
        part=part,
    )


def _event(
    status: str,
    about: ObjectEvent,
    *,
    summary: str,
    owner: str | None,
    recipe: str,
    identity: tuple[str, ...] = (),
    **rest: object,
) -> ImageEvent:
    announced = json.dumps([about.key, about.version, status, *identity])
    detail = {
        "schema_version": SCHEMA_VERSION,
        "status": status,
        "image_id": about.key,
        "version": about.version,
        "sequencer": about.sequencer,
        "owner": owner,
        "recipe": recipe,
        "uploaded_at": about.time,
        "dedup_id": hashlib.sha256(announced.encode()).hexdigest(),
        "summary": _summary(about.key, summary),
        **rest,
    }
    return ImageEvent(f"Image {status}", detail)


def _summary(key: str, outcome: str) -> str:
    """One line that SNS takes as a subject: printable ASCII; of a long key the end, which tells most."""
    room = SUMMARY_CHARACTERS - len(f"Image : {outcome}")
    name = re.sub(r"[^ -~]", "?", key)
    if len(name) > room:
        name = "..." + name[-(room - 3) :]
    return f"Image {name}: {outcome}"
