"""What becomes of an event: one upload or one deletion, from S3's event to the event that tells its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from process_image.events import Deletion, image_deleted, image_processed, image_rejected
from process_image.image import RejectedImageError, TooManyBytesError, Variant, render
from process_image.isolation import run
from process_image.measures import Stopwatch, measures_of
from process_image.storage import OriginalGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from process_image.events import ImageEvent, Upload
    from process_image.image import Rendering
    from process_image.settings import Settings
    from process_image.storage import Derivatives, OpenOriginal, Originals

# An event, and what the workflow makes of it, must not have more than 256 KB; a version's name has up to 1 KB.
VERSIONS_AT_ONCE = 200


class Bus(Protocol):
    """Where outcomes are announced."""

    def put(self, event: ImageEvent) -> None:
        """Put one event on the bus; returns once the bus has accepted it."""


class Pipeline:
    """The pipeline of one function environment, for one recipe.

    Every step may happen twice: events repeat, and a message whose handling failed comes back.
    """

    def __init__(
        self,
        settings: Settings,
        originals: Originals,
        derivatives: Derivatives,
        bus: Bus,
        measure: Callable[[Mapping[str, float]], None] = lambda _: None,
    ) -> None:
        """Load what every image needs.

        Args:
            settings: What to make, and within which limits.
            originals: Where images come from.
            derivatives: Where they go.
            bus: Where outcomes are announced.
            measure: Told what an image that was rendered took (`measures.UNITS`).
        """
        self._limits = settings.limits
        self._budget = settings.budget
        self._recipe = settings.recipe
        self._originals = originals
        self._derivatives = derivatives
        self._bus = bus
        self._measure = measure
        self._variants = load_variants(settings, derivatives)

    def handle(self, event: Upload | Deletion) -> list[ImageEvent]:
        """Do what one event of S3 asks for, and return what was announced."""
        return self._delete(event) if isinstance(event, Deletion) else self._process(event)

    def _process(self, upload: Upload) -> list[ImageEvent]:
        try:
            original = self._originals.open(upload)
        except OriginalGoneError as gone:
            # It was deleted long ago, and its deletion's own event tells of it, or told. Were that event lost, what
            # is stored here would show which records it has to close, once `darkroom reconcile` sends it: it stays.
            return [] if upload.late else self._gone(upload, gone)
        try:
            with original:
                outcome = self._outcome(upload, original)
        except OriginalGoneError as gone:
            return self._gone(upload, gone)
        return self._announce(outcome)

    def _outcome(self, upload: Upload, original: OpenOriginal) -> ImageEvent:
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
            # Deleted while we computed: its deletion may have looked for derivatives before these were stored.
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

    def _gone(self, upload: Upload, gone: OriginalGoneError) -> list[ImageEvent]:
        announced = self._announce(
            image_deleted(
                upload,
                recipe=self._recipe,
                image_deleted=gone.image_deleted,
                deleted_versions=[upload.version],
            )
        )
        self._derivatives.delete(self._derivatives.keys(upload, self._variants))
        return announced

    def _delete(self, deletion: Deletion) -> list[ImageEvent]:
        versions = self._derivatives.versions(deletion)
        gone = deletion.whole_image or self._originals.latest(deletion) is None
        names = sorted(versions)
        parts = [names[start : start + VERSIONS_AT_ONCE] for start in range(0, len(names), VERSIONS_AT_ONCE)]
        # Announced before anything is removed: a crash in between leaves the derivatives to be found again.
        announced = self._announce(
            *(
                image_deleted(deletion, recipe=self._recipe, image_deleted=gone, deleted_versions=some, part=part)
                for part, some in enumerate(parts or [[]])
            )
        )
        self._derivatives.delete([key for keys in versions.values() for key in keys])
        # A version deleted for good uncovers another, and removing a delete marker brings the image back. That may
        # happen before the marker's own event is handled: then what went with the image is made again.
        latest = self._originals.latest(deletion)
        if latest is None or (deletion.whole_image and latest.version not in versions):
            return announced
        return announced + self._process(latest)

    def _announce(self, *events: ImageEvent) -> list[ImageEvent]:
        for event in events:
            self._bus.put(event)
        return list(events)


def load_variants(settings: Settings, derivatives: Derivatives) -> Sequence[Variant]:
    """The variants with the bytes of their watermark images in place of the keys."""
    loaded = []
    for mapping in settings.variants:
        watermark = mapping.get("watermark")
        if watermark and watermark.get("image"):
            image = derivatives.get(watermark["image"])
            mapping = {**mapping, "watermark": {**watermark, "image": image}}  # noqa: PLW2901
        loaded.append(Variant.from_mapping(mapping))
    return tuple(loaded)
