"""Processing of one upload or one deletion: from the object event to the outcome event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from process_image.events import (
    Deletion,
    image_deleted,
    image_processed,
    image_rejected,
    image_version_deleted,
)
from process_image.image import RejectedImageError, TooManyBytesError, render
from process_image.isolation import run
from process_image.measures import Stopwatch, measures_of
from process_image.storage import OriginalGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from process_image.events import OutcomeEvent, Upload
    from process_image.image import Rendering, Variant
    from process_image.settings import Settings
    from process_image.storage import Derivatives, OpenOriginal, Originals

# An event, and the workflow's data for it, is limited to 256 KB. A version's name has up to 1 KB.
VERSIONS_AT_ONCE = 200


class Bus(Protocol):
    """The bus for outcome events."""

    def put(self, event: OutcomeEvent) -> None:
        """Put one event on the bus, and return once the bus has accepted it."""


class Processor:
    """The steps of every event, for one recipe.

    Every step may happen twice: events repeat, and a failed message comes back.
    """

    def __init__(
        self,
        settings: Settings,
        originals: Originals,
        derivatives: Derivatives,
        bus: Bus,
        measure: Callable[[Mapping[str, float]], None] = lambda _: None,
    ) -> None:
        """Load the variants.

        Args:
            settings: Variants, limits and budget.
            originals: The bucket of originals.
            derivatives: The bucket of derivatives.
            bus: The bus for outcomes.
            measure: Called with the measures of each rendered image (`measures.UNITS`).
        """
        self._limits = settings.limits
        self._budget = settings.budget
        self._recipe = settings.recipe
        self._originals = originals
        self._derivatives = derivatives
        self._bus = bus
        self._measure = measure
        self._variants = load_variants(settings, derivatives)

    def handle(self, event: Upload | Deletion) -> list[OutcomeEvent]:
        """Process the upload or the deletion, and return the outcome events, which were announced."""
        return self._delete(event) if isinstance(event, Deletion) else self._process(event)

    def _process(self, upload: Upload) -> list[OutcomeEvent]:
        try:
            original = self._originals.open(upload)
        except OriginalGoneError as gone:
            # The original was deleted long ago. The delete event already reported it, or will. If that event is lost,
            # `darkroom reconcile` sends it, and the stored derivatives name the records to close: they stay.
            return [] if upload.late else self._gone(upload, gone)
        try:
            with original:
                outcome = self._outcome(upload, original)
        except OriginalGoneError as gone:
            return self._gone(upload, gone)
        return self._announce(outcome)

    def _outcome(self, upload: Upload, original: OpenOriginal) -> OutcomeEvent:
        owner = upload.owner or original.owner
        found = self._derivatives.find(upload, self._variants)
        if found is None:
            around = Stopwatch()
            try:
                around.begin("fetch")
                data = self._read(original)
                around.begin("render")
                rendering, within = run(lambda: self._render(data), self._budget).result()
            except RejectedImageError as rejection:
                return image_rejected(upload, owner=owner, recipe=self._recipe, size=original.size, rejection=rejection)
            about = rendering.original
            around.begin("store")
            stored = self._derivatives.store(upload, about, self._variants, rendering.derivatives)
            self._measure(measures_of(rendering, around.stop() | within))
            # If the image was deleted meanwhile, its deletion may have looked before these derivatives were stored.
            self._originals.check(upload)
        else:
            about, stored = found
        return image_processed(
            upload,
            owner=owner,
            recipe=self._recipe,
            original=about,
            bucket=self._derivatives.bucket,
            variants=stored,
        )

    def _read(self, original: OpenOriginal) -> bytes:
        if original.size > self._limits.max_bytes:
            raise TooManyBytesError(original.size, self._limits.max_bytes)
        return original.read()

    def _render(self, data: bytes) -> tuple[Rendering, dict[str, float]]:
        within = Stopwatch()
        return render(data, self._variants, self._limits, within.begin), within.stop()

    def _gone(self, upload: Upload, gone: OriginalGoneError) -> list[OutcomeEvent]:
        """Announce a deletion whose own event is not handled yet, so its time is unknown."""
        event = (
            image_deleted(upload, deleted_at=_now(), recipe=self._recipe, deleted_versions=[upload.version])
            if gone.image_deleted
            else image_version_deleted(upload, deleted_at=_now(), recipe=self._recipe)
        )
        announced = self._announce(event)
        self._derivatives.delete(self._derivatives.keys(upload, self._variants))
        return announced

    def _delete(self, deletion: Deletion) -> list[OutcomeEvent]:
        versions = self._derivatives.versions(deletion)
        # Announced before anything is deleted: after a crash in between, the derivatives are found again.
        announced = self._announce(*self._deleted(deletion, sorted(versions)))
        self._derivatives.delete([key for keys in versions.values() for key in keys])
        # A permanently deleted version uncovers another one, and a deleted delete marker restores the image. If the
        # image was restored before the event of the delete marker is handled, its derivatives are made again.
        latest = self._originals.latest(deletion)
        if latest is None or (deletion.whole_image and latest.version not in versions):
            return announced
        return announced + self._process(latest)

    def _deleted(self, deletion: Deletion, versions: Sequence[str]) -> list[OutcomeEvent]:
        if not deletion.whole_image and self._originals.latest(deletion) is not None:
            return [image_version_deleted(deletion, deleted_at=deletion.time, recipe=self._recipe)]
        parts = [versions[start : start + VERSIONS_AT_ONCE] for start in range(0, len(versions), VERSIONS_AT_ONCE)]
        return [
            image_deleted(deletion, deleted_at=deletion.time, recipe=self._recipe, deleted_versions=some, part=part)
            for part, some in enumerate(parts or [[]])
        ]

    def _announce(self, *events: OutcomeEvent) -> list[OutcomeEvent]:
        for event in events:
            self._bus.put(event)
        return list(events)


def load_variants(settings: Settings, derivatives: Derivatives) -> Sequence[Variant]:
    """Return the variants with the bytes of their watermarks' images, which the settings only name."""
    return [_load(variant, derivatives) for variant in settings.variants]


def _load(variant: Variant, derivatives: Derivatives) -> Variant:
    watermark = variant.watermark
    if watermark is None or not isinstance(watermark.image, str):
        return variant
    return replace(variant, watermark=replace(watermark, image=derivatives.get(watermark.image)))


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
