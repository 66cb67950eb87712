"""The two buckets: originals are read, derivatives are written and deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from darkroom_shared.keys import batches, folder_of
from process_image.events import StoredVariant, Upload
from process_image.image import Original

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_s3 import S3Client

    from process_image.events import Deletion
    from process_image.image import Derivative, Variant

_GONE = {
    "404",
    "NoSuchKey",
    "NoSuchVersion",
    "405",
    "MethodNotAllowed",
}  # 405: the version is a delete marker
_OVERWRITTEN = {"412", "PreconditionFailed"}


class OriginalGoneError(Exception):
    """The version of an upload cannot be read any more.

    Attributes:
        image_deleted: True if the whole image is deleted, False if it still exists with another version.
    """

    def __init__(self, *, image_deleted: bool) -> None:
        super().__init__("the image is deleted" if image_deleted else "the version is deleted or overwritten")
        self.image_deleted = image_deleted


class DeletionIncompleteError(Exception):
    """S3 refused to delete some derivatives: a failure, which the queue retries."""


class OpenOriginal:
    """An original whose bytes are not read yet. It must be closed, because it uses a connection.

    Attributes:
        size: Size in bytes.
        owner: The object's metadata `owner`, or None.
    """

    def __init__(self, response: Any) -> None:  # noqa: ANN401 - the response of GetObject
        self.size: int = response["ContentLength"]
        self.owner: str | None = response["Metadata"].get("owner") or None
        self._body = response["Body"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._body.close()

    def read(self) -> bytes:
        """Read all bytes. If the connection ends early, botocore raises an error, and the queue retries."""
        data: bytes = self._body.read()
        return data


class Originals:
    """The bucket that users upload to."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def open(self, upload: Upload) -> OpenOriginal:
        """Open the uploaded version if the image still exists.

        Raises:
            OriginalGoneError: The image or this version of it was deleted, or overwritten in a bucket without
                versions.
        """
        return OpenOriginal(self._request(self._s3.get_object, upload))

    def check(self, upload: Upload) -> None:
        """Check that `open` would still succeed, without reading the original.

        Raises:
            OriginalGoneError: It would not.
        """
        self._request(self._s3.head_object, upload)

    def latest(self, deletion: Deletion) -> Upload | None:
        """Return the version that S3 shows now for a key, with the deletion's sequencer.

        None if there is no such version, or if the bucket keeps no versions.
        """
        if deletion.version_id is None:
            return None
        try:
            head = self._s3.head_object(Bucket=deletion.bucket, Key=deletion.key)
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise
        return Upload(
            bucket=deletion.bucket,
            key=deletion.key,
            version_id=head.get("VersionId"),
            sequencer=deletion.sequencer,
            time=f"{head['LastModified'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",  # the time of its upload, which stays
            late=deletion.late,
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
        )

    @staticmethod
    def _request(operation: Callable[..., Any], upload: Upload) -> Any:  # noqa: ANN401 - GetObject's or HeadObject's response
        """Request the latest version first, which in one request also shows that the image still exists."""
        try:
            latest = operation(Bucket=upload.bucket, Key=upload.key, IfMatch=f'"{upload.etag}"')
            if upload.version_id in (None, latest.get("VersionId")):
                return latest
            if "Body" in latest:
                latest["Body"].close()
        except ClientError as error:
            if _code(error) in _GONE:
                raise OriginalGoneError(image_deleted=True) from error
            if _code(error) not in _OVERWRITTEN:
                raise
        if upload.version_id is None:
            raise OriginalGoneError(image_deleted=False)
        try:
            return operation(Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id)
        except ClientError as error:
            if _code(error) in _GONE:
                raise OriginalGoneError(image_deleted=False) from error
            raise


class Derivatives:
    """The bucket that derivatives are served from.

    A derivative's key is `{image id}/{version}/{variant}.{extension}`. Its metadata hold its recipe and the size of
    the original, so a second delivery of the same event does not read the original again.
    """

    def __init__(self, s3: S3Client, bucket: str, recipe: str) -> None:
        self._s3 = s3
        self.bucket = bucket
        self._recipe = recipe

    def get(self, key: str) -> bytes:
        """Return the bytes of a watermark's image."""
        return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def find(self, upload: Upload, variants: Sequence[Variant]) -> tuple[Original, tuple[StoredVariant, ...]] | None:
        """Return the original's measures and the derivatives of a version, if all of them have the current recipe."""
        stored = []
        metadata: dict[str, str] = {}
        for variant in variants:
            key = self._key(upload, variant.name, variant.extension)
            try:
                head = self._s3.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if _code(error) in _GONE:
                    return None
                raise
            metadata = head["Metadata"]
            if metadata.get("recipe") != self._recipe:
                return None
            stored.append(
                StoredVariant(
                    name=variant.name,
                    key=key,
                    width=int(metadata["width"]),
                    height=int(metadata["height"]),
                    bytes=head["ContentLength"],
                    content_type=head["ContentType"],
                )
            )
        original = Original(
            bytes=upload.size,
            width=int(metadata["original-width"]),
            height=int(metadata["original-height"]),
            format=metadata["original-format"],
        )
        return original, tuple(stored)

    def store(
        self,
        upload: Upload,
        original: Original,
        variants: Sequence[Variant],
        derivatives: Sequence[Derivative],
    ) -> tuple[StoredVariant, ...]:
        """Write the derivatives in parallel. The same version and recipe write the same bytes to the same keys."""

        def put(variant: Variant, derivative: Derivative) -> StoredVariant:
            key = self._key(upload, variant.name, variant.extension)
            self._s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=derivative.data,
                ContentType=derivative.content_type,
                CacheControl="public, max-age=31536000, immutable",
                Metadata={
                    "recipe": self._recipe,
                    "sequencer": upload.sequencer,
                    "width": str(derivative.width),
                    "height": str(derivative.height),
                    "original-width": str(original.width),
                    "original-height": str(original.height),
                    "original-format": original.format,
                },
            )
            return StoredVariant(
                name=variant.name,
                key=key,
                width=derivative.width,
                height=derivative.height,
                bytes=len(derivative.data),
                content_type=derivative.content_type,
            )

        with ThreadPoolExecutor(max_workers=len(variants)) as pool:
            return tuple(pool.map(put, variants, derivatives))

    def versions(self, deletion: Deletion) -> dict[str, list[str]]:
        """Return the keys of the derivatives to delete, by version.

        For a whole image these are the versions that are not newer than the deletion. Newer uploads stay, however
        late the deletion's event arrives.
        """
        image = folder_of(deletion.key)
        within = f"{image}/" if deletion.whole_image else f"{image}/{deletion.version}/"
        found: dict[str, list[str]] = {}
        for key in self._list(within):
            # A derivative of the image `a/b` has one more part, and is not a derivative of `a`.
            version, _, variant = key.removeprefix(f"{image}/").partition("/")
            if variant and "/" not in variant:
                found.setdefault(version, []).append(key)
        if not deletion.whole_image:
            return found
        return {version: keys for version, keys in found.items() if self._sequencer(keys[0]) <= deletion.sequencer}

    def keys(self, upload: Upload, variants: Iterable[Variant]) -> list[str]:
        """Return the keys of a version's derivatives."""
        return [self._key(upload, variant.name, variant.extension) for variant in variants]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects. It is not an error if they are deleted already.

        Raises:
            DeletionIncompleteError: S3 refused to delete some.
        """
        for batch in batches(keys):
            answer = self._s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
            )
            if errors := answer.get("Errors"):
                raise DeletionIncompleteError(
                    f"{len(errors)} derivatives were not deleted. The first error: {errors[0]}"
                )

    def _list(self, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                yield item["Key"]

    def _sequencer(self, key: str) -> str:
        try:
            return self._s3.head_object(Bucket=self.bucket, Key=key)["Metadata"].get("sequencer", "")
        except ClientError as error:
            if _code(error) in _GONE:  # deleted by another delivery of the same event
                return ""
            raise

    @staticmethod
    def _key(upload: Upload, variant: str, extension: str) -> str:
        return f"{folder_of(upload.key)}/{upload.version}/{variant}.{extension}"


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
