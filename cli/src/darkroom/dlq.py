"""`darkroom dlq`: look into the dead-letter queues, send on what rests there, or throw it away."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self

import typer
from botocore.exceptions import ClientError

from darkroom import output
from darkroom.dead_letters import HOLD_SECONDS, Letter, UndeliverableError, delete, destination, read, release, send
from darkroom.errors import Exit, explain
from darkroom.interrupt import Stop, graceful
from darkroom.options import DryRun, Json, Name
from darkroom.resources import Dlq, Resources

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

dlq = typer.Typer(no_args_is_help=True, help="Look into the dead-letter queues, redrive or purge what rests there.")

_NAMES = f"The queues ({', '.join(Dlq)})"
Queues = Annotated[list[Dlq] | None, typer.Argument(help=f"{_NAMES}; all of them if none is named.")]
OfImage = Annotated[
    str | None, typer.Option("--image", help="Only messages about images whose ids begin so.", metavar="PREFIX")
]
Containing = Annotated[
    str | None, typer.Option("--containing", help="Only messages that hold this text.", metavar="TEXT")
]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many messages.")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="At most so many messages a second.")]


@dlq.command("ls")
def ls(name: Name, as_json: Json = False) -> Exit:
    """Count what rests in each queue; exit code 3 if anything does."""
    resources = Resources(name)
    counts = [(key, resources.dlq_name(key), waiting(resources, key)) for key in Dlq]
    if as_json:
        for key, queue, count in counts:
            output.line({"dlq": key, "queue": queue, "messages": count})
    else:
        output.table(("dlq", "messages", "queue"), [(key, count, queue) for key, queue, count in counts])
    return Exit.FOUND if any(count for *_, count in counts) else Exit.DONE


@dlq.command("show")
def show(
    name: Name,
    queues: Queues = None,
    image: OfImage = None,
    containing: Containing = None,
    limit: Limit = None,
    as_json: Json = False,
) -> Exit:
    """Show messages; they stay where they are. Exit code 3 if there are any."""
    resources = Resources(name)
    with graceful("messages become visible again") as stop, _Selection(resources, stop) as selection:
        shown = 0
        for letter in selection.of(queues, image, containing, limit):
            shown += 1
            if as_json:
                output.line(_about(letter) | {"body": letter.body, "attributes": dict(letter.attributes)})
            else:
                output.say(f"{letter.queue}  {letter.id}  {letter.sent:%Y-%m-%d %H:%M:%S}  {letter.kind or 'no event'}")
                output.say(f"  image: {letter.image or 'unknown'}")
                if letter.error:
                    output.say(f"  error: {letter.error}")
                output.say(f"  {letter.body}")
    return _end(stop, selection, Exit.FOUND if shown else Exit.DONE)


@dlq.command("redrive")
def redrive(
    name: Name,
    queues: Queues = None,
    image: OfImage = None,
    containing: Containing = None,
    limit: Limit = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> Exit:
    """Send messages, as they came, to where they were going when they failed.

    Each is deleted only after it was accepted there: a command that is interrupted loses nothing, and the next one
    goes on. What fails again comes back, and is left for the next time. A notification whose subscriber is a queue
    goes to that queue; any other goes to the topic, and so to all its subscribers, with the same dedup_id.

    Exit code 1 if a message could not be sent and was left where it is; 3 if there are more that another command holds,
    or one that was killed: they show again after five minutes.
    """
    resources = Resources(name)

    def act(letter: Letter) -> str:
        to = destination(resources, letter)
        if not dry_run:
            send(resources, letter, to)
        return f"{'would go' if dry_run else 'sent'} to {to.arn} ({to.reason})"

    return _act_on(resources, act, queues, (image, containing, limit), keep=dry_run, rate=rate, as_json=as_json)


@dlq.command("purge")
def purge(
    name: Name,
    queues: Annotated[list[Dlq], typer.Argument(help=f"{_NAMES}.")],
    image: OfImage = None,
    containing: Containing = None,
    limit: Limit = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> Exit:
    """Delete messages for good; their events are then only in the archives."""
    resources = Resources(name)
    if not (dry_run or yes):
        typer.confirm(f"Delete messages of {', '.join(queues)} of {name} for good?", abort=True, err=True)

    def act(_letter: Letter) -> str:
        return "would be deleted" if dry_run else "deleted"

    return _act_on(resources, act, queues, (image, containing, limit), keep=dry_run, rate=rate, as_json=as_json)


def waiting(resources: Resources, key: Dlq) -> int:
    """About how many messages rest in a queue, those included that somebody is looking at."""
    return _count(resources, key, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def _held(resources: Resources, key: Dlq) -> int:
    """About how many messages of a queue are kept from this command, as another one is looking at them."""
    return _count(resources, key, "ApproximateNumberOfMessagesNotVisible")


def _count(resources: Resources, key: Dlq, *what: "QueueAttributeNameType") -> int:
    counts = resources.sqs.get_queue_attributes(QueueUrl=resources.dlq_url(key), AttributeNames=what)["Attributes"]
    return sum(map(int, counts.values()))


class _Selection:
    """Letters that a filter lets through; whatever is still held in the end is released.

    Attributes:
        held_by_others: About so many more there were, which another command is looking at, or one that was killed.
    """

    def __init__(self, resources: Resources, stop: Stop) -> None:
        self._resources = resources
        self._stop = stop
        self._held: dict[str, Letter] = {}
        self._began = datetime.now(UTC)
        self.held_by_others = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for letter in self._held.values():
            release(self._resources, letter)

    def of(
        self, queues: Sequence[Dlq] | None, image: str | None, containing: str | None, limit: int | None
    ) -> Iterator[Letter]:
        """The letters of some queues; those that come while this runs, because they fail again, are left alone."""
        found = 0
        for queue in queues or Dlq:
            if self._stop:
                return
            self.held_by_others += _held(self._resources, queue)
            for letters in read(self._resources, queue):
                self._held |= {letter.id: letter for letter in letters}
                for letter in letters:
                    if self._stop or found == limit:
                        return
                    if letter.matches(image, containing, self._began):
                        found += 1
                        yield letter

    def delete(self, letter: Letter) -> None:
        """Take a letter off its queue."""
        delete(self._resources, letter)
        del self._held[letter.id]


def _act_on(
    resources: Resources,
    act: Callable[[Letter], str],
    queues: Sequence[Dlq] | None,
    selected: tuple[str | None, str | None, int | None],
    *,
    keep: bool,
    rate: float | None,
    as_json: bool,
) -> Exit:
    """Do something with each letter, then delete it unless all are kept; one that fails stays in its queue."""
    done = failed = 0
    with graceful("the message at hand is finished") as stop, _Selection(resources, stop) as selection:
        for letter in selection.of(queues, *selected):
            try:
                outcome = act(letter)
                if not keep:
                    selection.delete(letter)
                done += 1
            except (ClientError, UndeliverableError) as error:
                said = explain(error) if isinstance(error, ClientError) else error
                outcome = f"failed, and left where it is: {said}"
                failed += 1
            if as_json:
                output.line(_about(letter) | {"outcome": outcome})
            else:
                output.say(f"{letter.queue}  {letter.id}  {letter.image or 'unknown'}  {outcome}")
            if rate and stop.wait(1 / rate):
                break
    if not as_json:
        output.say(f"{done} done, {failed} left where they are")
    return _end(stop, selection, Exit.FAILED if failed else Exit.DONE)


def _about(letter: Letter) -> dict[str, object]:
    return {
        "dlq": letter.queue,
        "id": letter.id,
        "image_id": letter.image,
        "event": letter.kind,
        "sent": letter.sent,
        "error": letter.error,
    }


def _end(stop: Stop, selection: _Selection, otherwise: Exit) -> Exit:
    """The exit code; beside the results, it tells what another run is needed for."""
    if stop:
        output.warn("interrupted: give the command again to go on")
        return Exit.INTERRUPTED
    if selection.held_by_others:
        output.warn(
            f"about {selection.held_by_others} more are held by another command, or one that was ended at once: "
            f"they show again within {HOLD_SECONDS // 60} minutes, give the command again then"
        )
    return otherwise or (Exit.FOUND if selection.held_by_others else Exit.DONE)
