"""The two buckets: originals are read, derivatives written, and nothing else."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from process_image.events import StoredVariant, Upload
from process_image.image import Original

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_s3 import S3Client

    from process_image.events import Deletion
    from process_image.image import Derivative, Variant

LONGEST_IMAGE_ID = 800  # bytes; S3 allows 1,024 for image id, version and variant together

_DIGEST = "sha256-"
_DELETE_AT_ONCE = 1000  # keys, S3's limit
_GONE = {
    "404",
    "NoSuchKey",
    "NoSuchVersion",
    "405",
    "MethodNotAllowed",
}  # 405: the version is a delete marker
_OVERWRITTEN = {"412", "PreconditionFailed"}


class OriginalGoneError(Exception):
    """The version that an event speaks of cannot be read any more.

    Attributes:
        image_deleted: The whole image is gone, not only this version of it.
    """

    def __init__(self, *, image_deleted: bool) -> None:
        super().__init__("the image is deleted" if image_deleted else "the version is deleted or overwritten")
        self.image_deleted = image_deleted


class DeletionIncompleteError(Exception):
    """S3 would not delete some derivatives: a failure, which the queue retries."""


class OpenOriginal:
    """An original whose bytes are still to be read; to be closed, for it holds a connection.

    Attributes:
        size: Bytes.
        owner: The object's `owner` metadata.
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
        """All bytes; a connection that ends early is an error of botocore's, which the queue retries."""
        data: bytes = self._body.read()
        return data


class Originals:
    """The bucket that users upload to."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def open(self, upload: Upload) -> OpenOriginal:
        """Open exactly the version that was uploaded, provided that the image still exists.

        Raises:
            OriginalGoneError: The image or this version of it was deleted, or was overwritten in a bucket
                without versions.
        """
        return OpenOriginal(self._request(self._s3.get_object, upload))

    def check(self, upload: Upload) -> None:
        """Look, without reading, whether `open` would still succeed.

        Raises:
            OriginalGoneError: As for `open`.
        """
        self._request(self._s3.head_object, upload)

    def latest(self, deletion: Deletion) -> Upload | None:
        """Return the version that S3 shows now for a key, in the deletion's place among the events.

        None where there is no such version, or where the bucket keeps none.
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
            time=f"{head['LastModified'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",  # its upload's own, which stays
            late=deletion.late,
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
        )

    @staticmethod
    def _request(operation: Callable[..., Any], upload: Upload) -> Any:  # noqa: ANN401 - GetObject's or HeadObject's response
        """Ask for the latest version first: one request tells that the image lives and is the one uploaded."""
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

    A derivative's key is `{image id}/{version}/{variant}.{extension}`. Its metadata say which recipe made it
    and of what, so that a second delivery of the same event needs no second look at the original.
    """

    def __init__(self, s3: S3Client, bucket: str, recipe: str) -> None:
        self._s3 = s3
        self.bucket = bucket
        self._recipe = recipe

    def get(self, key: str) -> bytes:
        """An object of the bucket that is no derivative: a watermark."""
        return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def find(self, upload: Upload, variants: Sequence[Variant]) -> tuple[Original, tuple[StoredVariant, ...]] | None:
        """What is stored of this version, if every variant is there and of this recipe."""
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
        """Write the derivatives side by side; the same version and recipe write the same bytes to the same keys."""

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
        """The keys of the derivatives that a deletion takes along, by version.

        Of a whole image these are the versions that are not newer than the deletion: one uploaded since then
        stays, however late the deletion's event arrives.
        """
        image = _prefix(deletion.key)
        within = f"{image}/" if deletion.whole_image else f"{image}/{deletion.version}/"
        found: dict[str, list[str]] = {}
        for key in self._list(within):
            # A derivative of another image lies deeper: `a/b/…` is not the image `a`'s.
            version, _, variant = key.removeprefix(f"{image}/").partition("/")
            if variant and "/" not in variant:
                found.setdefault(version, []).append(key)
        if not deletion.whole_image:
            return found
        return {version: keys for version, keys in found.items() if self._sequencer(keys[0]) <= deletion.sequencer}

    def keys(self, upload: Upload, variants: Iterable[Variant]) -> list[str]:
        """The keys of a version's derivatives."""
        return [self._key(upload, variant.name, variant.extension) for variant in variants]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are gone already are no error.

        Raises:
            DeletionIncompleteError: S3 refused some.
        """
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            batch = keys[start : start + _DELETE_AT_ONCE]
            answer = self._s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
            )
            if errors := answer.get("Errors"):
                raise DeletionIncompleteError(f"{len(errors)} not deleted, the first of them: {errors[0]}")

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
        return f"{_prefix(upload.key)}/{upload.version}/{variant}.{extension}"


def _prefix(image_id: str) -> str:
    """The image id, or its digest where a derivative's key would get longer than S3 allows.

    An image id that looks like a digest becomes one too, or it could take the place of another image's.
    """
    encoded = image_id.encode()
    if len(encoded) <= LONGEST_IMAGE_ID and not image_id.startswith(_DIGEST):
        return image_id
    return f"{_DIGEST}{hashlib.sha256(encoded).hexdigest()}"


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
