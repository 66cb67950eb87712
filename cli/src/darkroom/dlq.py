"""`darkroom dlq`: count, show, redrive and purge the messages in DLQs."""

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

dlq = typer.Typer(no_args_is_help=True, help="Count, show, redrive or purge the messages in dead-letter queues (DLQs).")

_NAMES = f"DLQs: {', '.join(Dlq)}"
Queues = Annotated[list[Dlq] | None, typer.Argument(help=f"{_NAMES}. Default: all.")]
OfImage = Annotated[
    str | None, typer.Option("--image", help="Only messages about images whose ids have this prefix.", metavar="PREFIX")
]
Containing = Annotated[
    str | None, typer.Option("--containing", help="Only messages that contain this text.", metavar="TEXT")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Maximum number of messages.")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="Maximum number of messages per second.")]


@dlq.command("ls")
def ls(name: Name, as_json: Json = False) -> Exit:
    """Count the messages in each DLQ. Exit code 3 if there are any."""
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
    """Show messages; they stay in their DLQs. Exit code 3 if there are any."""
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
    """Send messages, unchanged, to where they were going when they failed.

    A message is deleted only after it was accepted there. An interrupted command loses nothing; run it again to go on.
    A message that fails again returns to its DLQ, and is left for the next run. A notification for a queue goes to
    that queue; any other notification goes to the topic, and so to all subscribers, with the same dedup_id.

    Exit code 1 if a message could not be sent and stays in its DLQ. Exit code 3 if another command, or one that was
    killed, holds more messages: they are visible again after five minutes.
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
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> Exit:
    """Delete messages permanently. Their events are then only in the archives."""
    resources = Resources(name)
    if not (dry_run or yes):
        typer.confirm(f"Delete messages of {', '.join(queues)} of {name} permanently?", abort=True, err=True)

    def act(_letter: Letter) -> str:
        return "would be deleted" if dry_run else "deleted"

    return _act_on(resources, act, queues, (image, containing, limit), keep=dry_run, rate=rate, as_json=as_json)


def waiting(resources: Resources, key: Dlq) -> int:
    """Return about how many messages are in a DLQ, with those that another command holds."""
    return _count(resources, key, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def _held(resources: Resources, key: Dlq) -> int:
    """Return about how many messages of a DLQ another command holds."""
    return _count(resources, key, "ApproximateNumberOfMessagesNotVisible")


def _count(resources: Resources, key: Dlq, *what: "QueueAttributeNameType") -> int:
    counts = resources.sqs.get_queue_attributes(QueueUrl=resources.dlq_url(key), AttributeNames=what)["Attributes"]
    return sum(map(int, counts.values()))


class _Selection:
    """Selected messages. Those that are still held at the end are released.

    Attributes:
        held_by_others: About how many more messages another command holds, or one that was killed.
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
        """Yield the messages of some DLQs. Messages that arrive later, because they failed again, are skipped."""
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
        """Delete a message."""
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
    """Call `act` for each message, then delete it unless `keep`. A message that fails stays in its DLQ."""
    done = failed = 0
    with graceful("the current message is finished") as stop, _Selection(resources, stop) as selection:
        for letter in selection.of(queues, *selected):
            try:
                outcome = act(letter)
                if not keep:
                    selection.delete(letter)
                done += 1
            except (ClientError, UndeliverableError) as error:
                said = explain(error) if isinstance(error, ClientError) else error
                outcome = f"failed, stays in the DLQ: {said}"
                failed += 1
            text = f"{letter.queue}  {letter.id}  {letter.image or 'unknown'}  {outcome}"
            output.result(_about(letter) | {"outcome": outcome}, text, as_json=as_json)
            if rate and stop.wait(1 / rate):
                break
    if not as_json:
        output.say(f"{done} done, {failed} failed")
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
    """Return the exit code, and warn if another run is needed."""
    if stop:
        output.warn("interrupted: run the command again to go on")
        return Exit.INTERRUPTED
    if selection.held_by_others:
        output.warn(
            f"about {selection.held_by_others} more are held by another command, or by one that was killed: "
            f"they are visible again within {HOLD_SECONDS // 60} minutes. Run the command again then"
        )
    return otherwise or (Exit.FOUND if selection.held_by_others else Exit.DONE)
