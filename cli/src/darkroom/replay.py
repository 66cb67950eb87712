"""`darkroom replay`: have EventBridge send again what its archives keep."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.progress import BarColumn, Progress, TextColumn

from darkroom import output
from darkroom.errors import Exit, OperatorError, code_of
from darkroom.interrupt import Stop, graceful
from darkroom.options import DryRun, Json, Name
from darkroom.resources import Resources

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import DescribeReplayResponseTypeDef

LOOK_EVERY_SECONDS = 1.0
RUNNING = {"STARTING", "RUNNING"}

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Archive(StrEnum):
    """What is archived: S3's events of the originals bucket, or the outcomes on the pipeline's bus."""

    UPLOADS = "uploads"
    OUTCOMES = "outcomes"


class Kind(StrEnum):
    """A kind of event, called after the pipeline's rule for it."""

    CREATED = "object-created"
    DELETED = "object-deleted"
    IMAGE_PROCESSED = "image-processed"
    IMAGE_REJECTED = "image-rejected"
    IMAGE_DELETED = "image-deleted"
    IMAGE_VERSION_DELETED = "image-version-deleted"


_KINDS = {
    Archive.UPLOADS: (Kind.CREATED, Kind.DELETED),
    Archive.OUTCOMES: (Kind.IMAGE_PROCESSED, Kind.IMAGE_REJECTED, Kind.IMAGE_DELETED, Kind.IMAGE_VERSION_DELETED),
}


def replay(
    archive: Annotated[Archive, typer.Argument(help="uploads: process again; outcomes: record again.")],
    name: Name,
    since: Annotated[str, typer.Option(help="From when: 2026-03-01T12:00Z, or 90m, 24h, 7d ago.")],
    until: Annotated[str | None, typer.Option(help="Until when, likewise; without it, until now.")] = None,
    kinds: Annotated[
        list[Kind] | None, typer.Option("--kind", help="Only these kinds; more than once for more.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Replay although the same was replayed before.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> Exit:
    """Send archived events again: only to the pipeline's own rules, whoever else listens.

    Nobody is told twice: the workflow knows what was announced. A replay runs at EventBridge: Ctrl-C leaves it alone,
    and the same command looks on as long as it runs. Once it is over, the same is not started again: that is, by the
    times that the command prints, for 7d ago is another time tomorrow. Uploads are processed again only where the
    recipe has changed.
    """
    resources = Resources(name)
    now = datetime.now(UTC)
    window = (moment(since, now), moment(until, now) if until else now.replace(microsecond=0))
    if window[0] >= window[1]:
        raise OperatorError(f"--since {window[0].isoformat()} is not before --until {window[1].isoformat()}")
    if strange := [kind for kind in kinds or () if kind not in _KINDS[archive]]:
        raise OperatorError(f"there is no {strange[0]} among the {archive}: use {' or '.join(_KINDS[archive])}")
    rules = [_rule_arn(resources, archive, kind) for kind in kinds or _KINDS[archive]]
    source = _archive(resources, archive)
    told: dict[str, Any] = {
        "archive": source["ArchiveName"],
        "archived_events": source["EventCount"],
        "since": window[0],
        "until": window[1],
        "rules": rules,
    }
    if dry_run:
        return _tell({**told, "state": "not started"}, as_json=as_json)
    relative = (bool(_ago(since)), until is None or bool(_ago(until)))
    if any(relative) and (running := _running(resources, archive, window, relative, rules)):
        window = (running["EventStartTime"].astimezone(UTC), running["EventEndTime"].astimezone(UTC))
        told |= {"since": window[0], "until": window[1]}
        replay_name: str | None = running["ReplayName"]
    else:
        replay_name = None
    times = " ".join(f"--{word} {time.isoformat()}" for word, time in zip(("since", "until"), window, strict=True))
    only = "".join(f" --kind {kind}" for kind in kinds or ())
    fixed = f"darkroom replay {archive} {times}{only} --name {name}"
    output.warn(
        f"{'looking on at a replay that runs already' if replay_name else 'replaying'}; to look on later: {fixed}"
    )
    with graceful("the replay, if it has begun, goes on at EventBridge") as stop:
        if replay_name is None:
            replay_name = _begin(resources, archive, source["EventSourceArn"], window, rules, stop, again=again)
        last = _follow(resources, replay_name, window, stop) if replay_name else None
    state = last["State"] if last else "not known" if replay_name else "not started"
    reason = last.get("StateReason") if last else None
    _tell({**told, "replay": replay_name, "state": state, "reason": reason}, as_json=as_json)
    if stop:
        output.warn(f"interrupted: to look on, or to start it if it has not begun: {fixed}")
        return Exit.INTERRUPTED
    return Exit.DONE if state == "COMPLETED" else Exit.FAILED


def _running(
    resources: Resources,
    archive: Archive,
    window: tuple[datetime, datetime],
    relative: tuple[bool, bool],
    rules: Sequence[str],
) -> "DescribeReplayResponseTypeDef | None":
    """A replay that the same command has started when its relative times meant others, and that still runs."""
    start, end = (time.replace(microsecond=0) for time in window)
    for name in _replays(resources, archive):
        known = resources.events.describe_replay(ReplayName=name)
        began, ended = known["EventStartTime"], known["EventEndTime"]
        match relative:
            case (True, True):
                alike = ended - began == end - start
            case (True, False):
                alike = ended == end
            case _:
                alike = began == start
        if alike and sorted(known["Destination"].get("FilterArns", [])) == sorted(rules):
            return known
    return None


def _replays(resources: Resources, archive: Archive) -> Iterator[str]:
    """The names of the replays of an archive that are running."""
    query: dict[str, Any] = {"EventSourceArn": _archive_arn(resources, archive)}  # AWS filters by one thing at a time
    while True:
        page = resources.events.list_replays(**query)
        yield from (replay["ReplayName"] for replay in page["Replays"] if replay["State"] in RUNNING)
        if not (token := page.get("NextToken")):
            return
        query["NextToken"] = token


def _begin(
    resources: Resources,
    archive: Archive,
    source_arn: str,
    window: tuple[datetime, datetime],
    rules: Sequence[str],
    stop: Stop,
    *,
    again: bool,
) -> str | None:
    """Start the replay, unless the same one was started before; returns its name, or none if it was stopped before.

    The name says what is replayed: the same command finds what one before it has started.
    """
    words = [archive, *(moment.isoformat() for moment in window), *sorted(rules)]
    base = f"{resources.name}-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:16]}"
    number = 1
    while (known := stop.breakable(partial(_describe, resources, name := f"{base}-{number}"))) is not None:
        if known["State"] in RUNNING or (known["State"] == "COMPLETED" and not again):
            return name
        number += 1
    if stop:
        return None
    resources.events.start_replay(
        ReplayName=name,
        EventSourceArn=_archive_arn(resources, archive),
        EventStartTime=window[0],
        EventEndTime=window[1],
        Destination={"Arn": source_arn, "FilterArns": list(rules)},
    )
    return name


def _describe(resources: Resources, name: str) -> "DescribeReplayResponseTypeDef | None":
    try:
        return resources.events.describe_replay(ReplayName=name)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise


def _follow(
    resources: Resources, name: str, window: tuple[datetime, datetime], stop: Stop
) -> "DescribeReplayResponseTypeDef | None":
    """Look on until the replay ends or it is time to stop."""
    console = output.aside()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        length = (window[1] - window[0]).total_seconds()
        bar = progress.add_task("replaying", total=length, at="")
        known = None
        while True:
            known = stop.breakable(partial(_describe, resources, name)) or known
            if known is None or known["State"] not in RUNNING:
                return known
            if reached := known.get("EventLastReplayedTime"):
                done = (reached - window[0]).total_seconds()
                progress.update(bar, completed=done, at=f"{reached:%Y-%m-%d %H:%M}")
            if stop.wait(LOOK_EVERY_SECONDS):
                return known


def _archive(resources: Resources, archive: Archive) -> Any:  # noqa: ANN401 - the response of DescribeArchive
    name = archive_name(resources, archive)
    try:
        return resources.events.describe_archive(ArchiveName=name)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            raise OperatorError(f"there is no archive {name}: apply the pipeline with one") from error
        raise


def archive_name(resources: Resources, archive: Archive) -> str:
    """The name of an archive, as Terraform gives it."""
    return f"{resources.name}-bus" if archive is Archive.OUTCOMES else f"{resources.name}-uploads-events"


def _archive_arn(resources: Resources, archive: Archive) -> str:
    return resources.arn("events", f"archive/{archive_name(resources, archive)}")


def _rule_arn(resources: Resources, archive: Archive, kind: Kind) -> str:
    where = f"{resources.name}/{kind}" if archive is Archive.OUTCOMES else f"{resources.name}-uploads-{kind}"
    return resources.arn("events", f"rule/{where}")


def moment(text: str, now: datetime) -> datetime:
    """A point in time: so long before now, or as RFC 3339 writes it; without a zone, UTC.

    Raises:
        OperatorError: It is neither.
    """
    if ago := _ago(text):
        return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(f"{text!r} is no time: write 2026-03-01T12:00Z, or 90m, 24h, 7d for so long ago") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ago(text: str) -> re.Match[str] | None:
    return re.fullmatch(r"(\d+)([mhd])", text)


def _tell(told: dict[str, Any], *, as_json: bool) -> Exit:
    if as_json:
        output.document(told)
    else:
        for name, value in told.items():
            if value is not None:
                output.say(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
    return Exit.DONE
