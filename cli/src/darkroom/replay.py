"""`darkroom replay`: send archived events again, by EventBridge."""

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
    """An archive: object events of the originals, or outcome events on the pipeline's bus."""

    UPLOADS = "uploads"
    OUTCOMES = "outcomes"


class Kind(StrEnum):
    """A type of event, by the name of the pipeline's rule for it."""

    CREATED = "object-created"
    DELETED = "object-deleted"
    IMAGE_PROCESSED = "image-processed"
    IMAGE_REJECTED = "image-rejected"
    IMAGE_DELETED = "image-deleted"
    IMAGE_VERSION_DELETED = "version-deleted"


_KINDS = {
    Archive.UPLOADS: (Kind.CREATED, Kind.DELETED),
    Archive.OUTCOMES: (Kind.IMAGE_PROCESSED, Kind.IMAGE_REJECTED, Kind.IMAGE_DELETED, Kind.IMAGE_VERSION_DELETED),
}


def replay(
    archive: Annotated[Archive, typer.Argument(help="uploads: process again; outcomes: record again.")],
    name: Name,
    since: Annotated[str, typer.Option(help="Start: 2026-03-01T12:00Z, or 90m, 24h, 7d for a time before now.")],
    until: Annotated[str | None, typer.Option(help="End, in the same form. Default: now.")] = None,
    kinds: Annotated[
        list[Kind] | None, typer.Option("--kind", help="Only events of this kind. Can be repeated.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Replay even if the same replay has run before.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> Exit:
    """Send archived events again, only to the pipeline's own rules.

    Subscribers are not notified twice: the workflow records what was announced. The replay runs in EventBridge: Ctrl-C
    does not end it, and the same command follows it again. A replay that has completed is not repeated by a command
    with the same times: the command prints them, because 7d is another time tomorrow. Uploads are processed again only
    if the recipe has changed.
    """
    resources = Resources(name)
    now = datetime.now(UTC)
    window = (moment(since, now), moment(until, now) if until else now.replace(microsecond=0))
    if window[0] >= window[1]:
        raise OperatorError(f"--since {window[0].isoformat()} is not before --until {window[1].isoformat()}")
    if strange := [kind for kind in kinds or () if kind not in _KINDS[archive]]:
        raise OperatorError(f"the archive of {archive} has no {strange[0]}: use {' or '.join(_KINDS[archive])}")
    rules = [_rule_arn(resources, archive, kind) for kind in kinds or _KINDS[archive]]
    source = _archive(resources, archive)
    report: dict[str, Any] = {
        "archive": source["ArchiveName"],
        "archived_events": source["EventCount"],
        "since": window[0],
        "until": window[1],
        "rules": rules,
    }
    if dry_run:
        _print({**report, "state": "not started"}, as_json=as_json)
        return Exit.DONE
    relative = (bool(_ago(since)), until is None or bool(_ago(until)))
    if any(relative) and (running := _running(resources, archive, window, relative, rules)):
        window = (running["EventStartTime"].astimezone(UTC), running["EventEndTime"].astimezone(UTC))
        report |= {"since": window[0], "until": window[1]}
        replay_name: str | None = running["ReplayName"]
    else:
        replay_name = None
    times = " ".join(f"--{word} {time.isoformat()}" for word, time in zip(("since", "until"), window, strict=True))
    only = "".join(f" --kind {kind}" for kind in kinds or ())
    fixed = f"darkroom replay {archive} {times}{only} --name {name}"
    output.warn(
        f"{'following a replay that is already running' if replay_name else 'replaying'}; to follow it later: {fixed}"
    )
    with graceful("a replay that has started goes on in EventBridge") as stop:
        if replay_name is None:
            replay_name = _begin(resources, archive, source["EventSourceArn"], window, rules, stop, again=again)
        last = _follow(resources, replay_name, window, stop) if replay_name else None
    state = last["State"] if last else "not known" if replay_name else "not started"
    reason = last.get("StateReason") if last else None
    _print({**report, "replay": replay_name, "state": state, "reason": reason}, as_json=as_json)
    if stop:
        output.warn(f"interrupted: to follow the replay, or to start it: {fixed}")
        return Exit.INTERRUPTED
    return Exit.DONE if state == "COMPLETED" else Exit.FAILED


def _running(
    resources: Resources,
    archive: Archive,
    window: tuple[datetime, datetime],
    relative: tuple[bool, bool],
    rules: Sequence[str],
) -> "DescribeReplayResponseTypeDef | None":
    """Return a running replay that the same command started earlier, when its relative times were others."""
    start, end = (time.replace(microsecond=0) for time in window)
    for name in _replays(resources, archive):
        known = resources.events.describe_replay(ReplayName=name)
        began, ended = known["EventStartTime"], known["EventEndTime"]
        match relative:
            case (True, True):
                same = ended - began == end - start
            case (True, False):
                same = ended == end
            case _:
                same = began == start
        if same and sorted(known["Destination"].get("FilterArns", [])) == sorted(rules):
            return known
    return None


def _replays(resources: Resources, archive: Archive) -> Iterator[str]:
    """Yield the names of an archive's running replays."""
    query: dict[str, Any] = {"EventSourceArn": _archive_arn(resources, archive)}  # AWS filters by one field only
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
    """Start the replay, unless it was started before; return its name, or None after a stop.

    The name is derived from what is replayed, so that the same command finds the replay again.
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
    """Follow the replay until it ends or a stop is requested."""
    console = output.stderr()
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
            raise OperatorError(f"there is no archive {name}: apply Terraform again") from error
        raise


def archive_name(resources: Resources, archive: Archive) -> str:
    """Return the name of an archive."""
    return f"{resources.name}-bus" if archive is Archive.OUTCOMES else f"{resources.name}-uploads-events"


def _archive_arn(resources: Resources, archive: Archive) -> str:
    return resources.arn("events", f"archive/{archive_name(resources, archive)}")


def _rule_arn(resources: Resources, archive: Archive, kind: Kind) -> str:
    where = f"{resources.name}/{kind}" if archive is Archive.OUTCOMES else f"{resources.name}-uploads-{kind}"
    return resources.arn("events", f"rule/{where}")


def moment(text: str, now: datetime) -> datetime:
    """Return a time, written as a duration before now or in RFC 3339; without a zone, in UTC.

    Raises:
        OperatorError: The text is neither.
    """
    if ago := _ago(text):
        return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(
            f"{text!r} is not a time: write 2026-03-01T12:00Z, or 90m, 24h, 7d for a time before now"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ago(text: str) -> re.Match[str] | None:
    return re.fullmatch(r"(\d+)([mhd])", text)


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(report)
        return
    for name, value in report.items():
        if value is not None:
            output.say(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
