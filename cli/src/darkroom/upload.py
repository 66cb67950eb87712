"""`darkroom upload`: upload files and folders to the bucket of the originals, several at once, each file once."""

import hashlib
import mimetypes
import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from darkroom import output
from darkroom.errors import Exit, OperatorError, explain
from darkroom.interrupt import Stop, graceful
from darkroom.options import DryRun, Json, Name
from darkroom.originals import head_original, repair_command, say_young, settled_at
from darkroom.resources import Resources
from darkroom.sources import Source, collect
from reconcile.records import Item, Version, current_of, is_notified, read_items, speaks_of, versions_of

PART_BYTES = 16 * 1024 * 1024  # larger files are uploaded in parts of this size
LOOK_EVERY_SECONDS = 0.5
QUIET_SECONDS = 10  # most images are recorded earlier

_NUMBER = re.compile(r" \(\d+\)(?=(\.[^.]*)?$)")

READ_BYTES = 1024 * 1024

CHECKSUM = "sha256"  # metadata of an original: the digest of its file


@dataclass(frozen=True)
class Result:
    """Result for one file.

    Attributes:
        image: Key of the original.
        outcome: uploaded, there already, would be uploaded, or failed.
        error: Reason of a failure.
        record: The pipeline's record, with --wait.
    """

    path: Path
    image: str
    outcome: str
    error: str | None = None
    record: Item | None = None

    @property
    def status(self) -> str:
        """Outcome of the upload and, with --wait, of the pipeline."""
        if self.error:
            return f"{self.outcome}: {self.error}"
        return f"{self.outcome}, {self.record['status']}" if self.record else self.outcome


def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders of images.", show_default=False)],
    name: Name,
    prefix: Annotated[str, typer.Option(help="Prefix of the images' ids.")] = "",
    owner: Annotated[str | None, typer.Option(help="Owner of the images.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=16, help="Number of files to upload at once.")] = 4,
    wait_for_results: Annotated[
        bool, typer.Option("--wait", help="Wait until each image is recorded and announced.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=1, help="With --wait: seconds without a new record after which waiting ends.")
    ] = 300,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> Exit:
    """Upload files, and the images in folders.

    The key of a file is its path within its folder. Files whose key has the same bytes already are skipped: run an
    interrupted command again to go on. Exit code 3 if --wait saw an image that was not processed.
    """
    resources = Resources(name)
    sources = collect(paths)
    if clashes := [source for source in sources if clashing(source, {source.name for source in sources})]:
        raise OperatorError(
            f"{clashes[0].path} has the same name as another of these files: upload the folders one by one, "
            "each with its own --prefix"
        )
    uploader = Uploader(resources, prefix, owner, dry_run=dry_run)
    results: list[Result] = []
    with graceful("current uploads are finished, except those of large files") as stop, _progress() as progress:
        bar = progress.add_task("uploading", total=len(sources))
        for result in uploader.run(sources, at_once, stop):
            results.append(result)
            progress.advance(bar)
            if not wait_for_results or result.error:
                _print(result, as_json=as_json)
        if wait_for_results and not dry_run:
            results = _wait(resources, uploader, results, stop, patience, progress, as_json=as_json)
    if stop:
        left = len(sources) - len(results)
        counted = [*([_count(results)] if results else []), *([f"{left} not started or not finished"] if left else [])]
        output.warn(f"interrupted: {', '.join(counted)}; run the command again to go on")
        return Exit.INTERRUPTED
    if not as_json:
        output.say(_count(results))
    if any(result.error for result in results):
        return Exit.FAILED
    unprocessed = wait_for_results and any((r.record or {}).get("status") != "Processed" for r in results)
    return Exit.FOUND if unprocessed and not dry_run else Exit.DONE


def clashing(source: Source, names: set[str]) -> bool:
    """Return True if the file was numbered because its name was taken: its key would depend on the order of files."""
    unnumbered = _NUMBER.sub("", source.name)
    return unnumbered in names - {source.name} and not _NUMBER.search(source.path.name)


class _StoppedError(Exception):
    """Ends an upload of which the bucket has nothing yet, after a request to stop."""


class Uploader:
    """Uploads files, except those whose key has the same bytes already."""

    def __init__(self, resources: Resources, prefix: str, owner: str | None, *, dry_run: bool = False) -> None:
        self._resources = resources
        self._prefix = prefix
        self._owner = owner
        self._dry_run = dry_run

    def run(self, sources: Sequence[Source], at_once: int, stop: Stop) -> Iterator[Result]:
        """Upload several files at once, and yield each result. After a request to stop, end without half an upload.

        A file in parts is then aborted before its next part, and its parts are removed.
        """

        def refuse(**_: object) -> None:
            if stop:
                raise _StoppedError

        self._resources.s3.meta.events.register("before-call.s3.UploadPart", refuse)
        waiting = iter(sources)
        running: set[Future[Result | None]] = set()
        with ThreadPoolExecutor(at_once) as pool:
            while True:
                while not stop and len(running) < at_once and (source := next(waiting, None)):
                    running.add(pool.submit(self._upload, source, stop))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from filter(None, (future.result() for future in done))

    def _upload(self, source: Source, stop: Stop) -> Result | None:
        """Return the result for a file; None if it was not uploaded because of a stop."""
        image = self._prefix + source.name
        try:
            return Result(source.path, image, self._put(source.path, image, stop))
        except _StoppedError:
            return None
        except (BotoCoreError, ClientError) as error:
            said = explain(error)
        except S3UploadFailedError as error:
            said = explain(error.__context__) if isinstance(error.__context__, ClientError) else str(error)
        except OSError as error:
            said = str(error)
        return Result(source.path, image, "failed", said)

    def _put(self, path: Path, image: str, stop: Stop) -> str:
        """Upload a file unless it is there, and return the outcome."""
        digest = _digest(path, stop)
        if self._is_there(image, digest):
            return "there already"
        if self._dry_run:
            return "would be uploaded"
        if stop:
            raise _StoppedError
        self._resources.s3.upload_file(
            str(path),
            self._resources.originals,
            image,
            ExtraArgs={"ContentType": _content_type(path), "Metadata": self._metadata(digest)},
            # Several files are uploaded at once; the parts of one file need not be.
            Config=TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False),
        )
        return "uploaded"

    def record(self, image: str) -> Item | None:
        """Return the record of the version that the bucket has now; None until it is announced."""
        head = head_original(self._resources, image)
        if head is None:
            return None
        version = Version(head.get("VersionId"), head["LastModified"])
        items = read_items(self._resources, image)
        current = current_of(items)
        if current is None or not speaks_of(current, version):
            return None
        return next((i for i in versions_of(items) if i["version"] == current["version"] and is_notified(i)), None)

    def _metadata(self, digest: str) -> dict[str, str]:
        return {CHECKSUM: digest, **({"owner": self._owner} if self._owner else {})}

    def _is_there(self, image: str, digest: str) -> bool:
        head = head_original(self._resources, image)
        if head is None or head["Metadata"].get(CHECKSUM) != digest:
            return False
        return self._owner in {None, head["Metadata"].get("owner")}


def _digest(path: Path, stop: Stop) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            if stop:
                raise _StoppedError
            digest.update(chunk)
    return digest.hexdigest()


def _content_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _wait(
    resources: Resources,
    uploader: Uploader,
    results: Sequence[Result],
    stop: Stop,
    patience: float,
    progress: Progress,
    *,
    as_json: bool,
) -> list[Result]:
    """Wait until each image is recorded and announced, or nothing arrives for `patience` seconds; report why."""
    bar = progress.add_task("waiting", total=len(results))
    finished = [result for result in results if result.error]
    open_ = [result for result in results if not result.error]
    last_news = time.monotonic()
    asked = False
    while open_ and not stop and time.monotonic() - last_news < patience:
        progress.update(bar, completed=len(finished))
        for result in open_.copy():
            record = stop.breakable(partial(uploader.record, result.image))
            if stop:
                break
            if record is None:
                continue
            open_.remove(result)
            finished.append(replace(result, record=record))
            _print(finished[-1], as_json=as_json)
            last_news = time.monotonic()
        if open_ and not asked and time.monotonic() - last_news > QUIET_SECONDS:
            asked = True
            if settled := stop.breakable(partial(_settled_at, resources)):
                repair = repair_command(resources, _common([result.image for result in open_]))
                advice = f"{say_young(resources, settled)}, or send lost events again: {repair}"
                output.warn(f"nothing has arrived for {QUIET_SECONDS:.0f} s: {advice}", progress.console)
        if open_:
            stop.wait(LOOK_EVERY_SECONDS)
    progress.update(bar, completed=len(finished))
    for result in open_:
        _print(result, as_json=as_json)
    if open_ and not stop:
        repair = repair_command(resources, _common([result.image for result in open_]))
        output.warn(
            f"{len(open_)} not recorded and announced, and nothing has arrived for {patience:.0f} s. To find the "
            f"fault: darkroom doctor --name {resources.name}. If the events were lost, send them again: {repair}",
            progress.console,
        )
    return [*finished, *open_]


def _settled_at(resources: Resources) -> datetime | None:
    """Return when a young bucket certainly sends events; None for others, and if these credentials may only upload."""
    with suppress(ClientError):
        return settled_at(resources)
    return None


def _common(images: Sequence[str]) -> str:
    """Return the longest common prefix of images' ids."""
    return os.path.commonprefix(list(images))  # noqa: RUF071 - S3 compares prefixes by character


def _print(result: Result, *, as_json: bool) -> None:
    fields = {
        "path": result.path,
        "image_id": result.image,
        "outcome": result.outcome,
        "error": result.error,
        "record": result.record,
    }
    output.result(fields, f"{result.image}  {result.status}", as_json=as_json)


def _count(results: Sequence[Result]) -> str:
    outcomes = [result.outcome for result in results]
    return ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = output.stderr()
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
