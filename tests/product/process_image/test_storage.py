"""The two buckets: which original is read, what is stored of it, and what a deletion takes along."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from hypothesis import example, given, settings
from hypothesis import strategies as st

from darkroom_shared.keys import LONGEST_IMAGE_ID
from process_image.events import Deletion, StoredVariant, Upload
from process_image.image import Derivative, Original, Variant
from process_image.storage import (
    DeletionIncompleteError,
    Derivatives,
    OpenOriginal,
    OriginalGoneError,
    Originals,
)
from tests.product.process_image.originals import PROCESSED, OriginalsBucket, answer_instead, journal_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

RECIPE = "5a3f09c1e7b2d486"
VARIANTS = (
    Variant(name="thumbnail", width=64, height=64),
    Variant(name="web", width=256, format="webp"),
)
RENDERED = (
    Derivative(variant="thumbnail", data=b"small", width=64, height=48, content_type="image/jpeg"),
    Derivative(variant="web", data=b"larger", width=256, height=192, content_type="image/webp"),
)
ODD_KEYS = [
    "a b  c",
    "a+b",
    "a%2Bb",
    "a%20b",
    "ü/日本/🙂",
    "quotes\"and'braces{}$[0]&<>?#",
    "/a//b/",
    "../a",
    "new\nline",
    "x" * 1024,
    "ü" * 512,
]


@pytest.fixture
def derivatives(s3: S3Client) -> Derivatives:
    return Derivatives(s3, PROCESSED, RECIPE)


def stored_keys(s3: S3Client) -> list[str]:
    return [
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=PROCESSED)
        for item in page.get("Contents", ())
    ]


def store(derivatives: Derivatives, upload: Upload) -> tuple[StoredVariant, ...]:
    return derivatives.store(upload, original_of(upload), VARIANTS, RENDERED)


def original_of(upload: Upload) -> Original:
    return Original(bytes=upload.size, width=800, height=600, format="jpeg")


# Originals


def read(originals: Originals, upload: Upload) -> bytes:
    with originals.open(upload) as original:
        assert original.size == upload.size
        return original.read()


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key)[:24])
def test_uploaded_version_is_read(s3: S3Client, originals: OriginalsBucket, key: str) -> None:
    first, second, third = (originals.put(key, data) for data in (b"first", b"second", b"first"))
    port = Originals(s3)
    assert [read(port, upload) for upload in (first, second, third)] == [b"first", b"second", b"first"]
    for upload in (first, second, third):
        port.check(upload)


def test_metadata_name_the_owner(s3: S3Client, originals: OriginalsBucket) -> None:
    owners = [
        Originals(s3).open(upload).owner
        for upload in (
            originals.put("a", b"1", owner="maria"),
            originals.put("b", b"1", owner=""),
            originals.put("c", b"1", camera="old"),
        )
    ]
    assert owners == ["maria", None, None]


def gone(attempt: Callable[[Upload], object], upload: Upload) -> bool:
    """Expect that an upload is gone; return True if the whole image is."""
    with pytest.raises(OriginalGoneError) as raised:
        attempt(upload)
    return raised.value.image_deleted


def test_delete_marker_hides_the_image(s3: S3Client, originals: OriginalsBucket) -> None:
    uploads = originals.put("a", b"1"), originals.put("a", b"2")
    originals.delete("a")
    for upload in uploads:
        assert gone(Originals(s3).open, upload)
        assert gone(Originals(s3).check, upload)


def test_purged_version_keeps_the_image(s3: S3Client, originals: OriginalsBucket) -> None:
    first, second = originals.put("a", b"1"), originals.put("a", b"2")
    originals.delete_version("a", second.version_id)
    assert not gone(Originals(s3).open, second)
    assert not gone(Originals(s3).check, second)
    assert read(Originals(s3), first) == b"1"


def test_reupload_does_not_restore_versions(s3: S3Client, originals: OriginalsBucket) -> None:
    first = originals.put("a", b"1")
    originals.delete_version("a", first.version_id)
    originals.put("a", b"1")
    assert not gone(Originals(s3).open, first)
    assert not gone(Originals(s3).check, first)


def test_unversioned_upload_is_matched_by_etag(s3: S3Client, unversioned: OriginalsBucket) -> None:
    upload = unversioned.put("a", b"1")
    port = Originals(s3)
    assert read(port, upload) == b"1"
    port.check(upload)
    unversioned.put("a", b"2")
    assert not gone(port.open, upload)
    assert not gone(port.check, upload)
    unversioned.delete("a")
    assert gone(port.open, upload)
    assert gone(port.check, upload)


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (403, "403"), (503, "SlowDown"), (500, "500")])
def test_forbidden_version_is_not_gone(s3: S3Client, originals: OriginalsBucket, status: int, code: str) -> None:
    first, second = originals.put("a", b"1"), originals.put("a", b"2")
    deletion = originals.delete_version("a", second.version_id)
    for operation in ("s3.GetObject", "s3.HeadObject"):
        refuse(s3, operation, status, code)
    port = Originals(s3)
    attempts: list[Callable[[], object]] = [
        lambda: port.open(first),
        lambda: port.check(first),
        lambda: port.latest(deletion),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError):
            attempt()


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (503, "SlowDown")])
def test_forbidden_old_version_is_not_gone(s3: S3Client, originals: OriginalsBucket, status: int, code: str) -> None:
    first = originals.put("a", b"1")
    originals.put("a", b"2")
    refuse(s3, "s3.GetObject", status, code)
    refuse(s3, "s3.GetObject", 412, "PreconditionFailed", times=1)
    with pytest.raises(ClientError, match=code):
        Originals(s3).open(first)


def body(data: bytes, promised: int) -> dict[str, Any]:
    return {
        "ContentLength": promised,
        "Metadata": {},
        "Body": StreamingBody(cast("Any", io.BytesIO(data)), promised),
    }


def test_short_read_is_a_failure() -> None:
    with pytest.raises(IncompleteReadError):
        OpenOriginal(body(b"half", 8)).read()


def test_open_original_is_always_closed() -> None:
    stream = io.BytesIO(b"data")
    with pytest.raises(RuntimeError), OpenOriginal(body(b"", 4) | {"Body": StreamingBody(cast("Any", stream), 4)}):
        raise RuntimeError
    assert stream.closed


def test_unused_connection_is_closed(originals: OriginalsBucket, s3: S3Client) -> None:
    """The latest version has the same bytes as the requested one, so S3 begins to send it."""
    first = originals.put("a", b"1")
    latest = originals.put("a", b"1")
    stream = io.BytesIO(b"1")
    answer_instead(
        s3,
        "s3.GetObject",
        200,
        {"VersionId": latest.version_id, **body(b"", 1), "Body": StreamingBody(cast("Any", stream), 1)},
        times=1,
    )
    assert read(Originals(s3), first) == b"1"
    assert stream.closed


def test_latest_version_is_the_one_in_s3(s3: S3Client, originals: OriginalsBucket) -> None:
    first = originals.put("a", b"1")
    second = originals.put("a", b"22")
    deletion = originals.delete_version("a", second.version_id)
    latest = Originals(s3).latest(deletion)
    assert latest is not None
    assert (latest.key, latest.version_id, latest.etag, latest.size) == ("a", first.version_id, first.etag, 1)
    assert latest.sequencer == deletion.sequencer
    written = s3.head_object(Bucket=originals.name, Key="a")["LastModified"]
    assert latest.time == f"{written:%Y-%m-%dT%H:%M:%SZ}", "as its own upload's event says"
    assert read(Originals(s3), latest) == b"1"

    marker = originals.delete("a")
    assert Originals(s3).latest(marker) is None
    assert Originals(s3).latest(originals.delete_version("b", first.version_id)) is None


def test_unversioned_bucket_has_no_other_version(s3: S3Client, unversioned: OriginalsBucket) -> None:
    unversioned.put("a", b"1")
    deletion = unversioned.delete("a")
    unversioned.put("a", b"2")
    assert Originals(s3).latest(deletion) is None


# Derivatives


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key)[:24])
def test_stored_derivatives_are_found(
    s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives, key: str
) -> None:
    upload = originals.put(key, b"data")
    stored = store(derivatives, upload)
    assert derivatives.find(upload, VARIANTS) == (original_of(upload), stored)
    assert [variant.key for variant in stored] == derivatives.keys(upload, VARIANTS)
    for variant, rendered in zip(stored, RENDERED, strict=True):
        found = s3.get_object(Bucket=PROCESSED, Key=variant.key)
        assert found["Body"].read() == rendered.data
        assert found["ContentType"] == variant.content_type == rendered.content_type
        assert "immutable" in found["CacheControl"]
        assert (variant.name, variant.width, variant.height) == (rendered.variant, rendered.width, rendered.height)
        assert variant.bytes == len(rendered.data)


def test_keys_have_image_version_and_variant(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    upload = originals.put("maria/photo.png", b"data")
    assert derivatives.keys(upload, VARIANTS) == [
        f"maria/photo.png/{upload.version}/thumbnail.jpg",
        f"maria/photo.png/{upload.version}/web.webp",
    ]


def test_storing_again_changes_nothing(s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives) -> None:
    def contents() -> dict[str, Any]:
        found = {key: s3.get_object(Bucket=PROCESSED, Key=key) for key in stored_keys(s3)}
        return {key: (one["Body"].read(), one["Metadata"], one["ContentType"]) for key, one in found.items()}

    upload = originals.put("a", b"data")
    first = store(derivatives, upload)
    before = contents()
    assert store(derivatives, upload) == first
    assert contents() == before


def test_incomplete_set_is_not_found(s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives) -> None:
    upload = originals.put("a", b"data")
    assert derivatives.find(upload, VARIANTS) is None
    stored = store(derivatives, upload)
    for variant in stored:
        s3.delete_object(Bucket=PROCESSED, Key=variant.key)
        assert derivatives.find(upload, VARIANTS) is None
        store(derivatives, upload)
    assert derivatives.find(upload, VARIANTS) is not None


def test_derivatives_of_another_recipe_are_not_found(
    s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives
) -> None:
    upload = originals.put("a", b"data")
    store(Derivatives(s3, PROCESSED, "0" * 16), upload)
    assert derivatives.find(upload, VARIANTS) is None
    derivatives.store(upload, original_of(upload), VARIANTS[:1], RENDERED[:1])
    assert derivatives.find(upload, VARIANTS) is None, "one of two is of this recipe"
    store(derivatives, upload)
    assert derivatives.find(upload, VARIANTS) is not None


def test_versions_have_separate_derivatives(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    first, second = originals.put("a", b"1"), originals.put("a", b"2")
    store(derivatives, first)
    assert derivatives.find(second, VARIANTS) is None


@pytest.mark.parametrize(("status", "code"), [(403, "403"), (503, "SlowDown")])
def test_forbidden_derivative_is_a_failure(
    s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives, status: int, code: str
) -> None:
    upload = originals.put("a", b"data")
    store(derivatives, upload)
    refuse(s3, "s3.HeadObject", status, code)
    with pytest.raises(ClientError, match=code):
        derivatives.find(upload, VARIANTS)
    with pytest.raises(ClientError, match=code):
        derivatives.versions(originals.delete("a"))


def test_unstored_derivative_is_a_failure(s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives) -> None:
    upload = originals.put("a", b"data")
    refuse(s3, "s3.PutObject", 503, "SlowDown", times=1)
    with pytest.raises(ClientError, match="SlowDown"):
        store(derivatives, upload)
    assert derivatives.find(upload, VARIANTS) is None


def test_watermark_is_read_by_its_key(s3: S3Client, derivatives: Derivatives) -> None:
    s3.put_object(Bucket=PROCESSED, Key="watermarks/abc", Body=b"logo")
    assert derivatives.get("watermarks/abc") == b"logo"


# Keys


NAMES = st.text(min_size=1, max_size=1024).filter(lambda key: len(key.encode()) <= 1024)
LONG = "x" * 1000
DIGEST = f"sha256-{hashlib.sha256(LONG.encode()).hexdigest()}"
CLASHING = st.sampled_from(["a", "a/v1", "a/v1/v1", "a/", "a//", "/a", "v1", DIGEST, LONG, f"{DIGEST}/v1", "sha256-"])


def anonymous(key: str, version: str = "v1") -> Upload:
    return Upload(bucket="b", key=key, version_id=version, sequencer="0" * 32, time="", etag="e", size=1)


def key_of(upload: Upload, variant: Variant = VARIANTS[0]) -> str:
    return Derivatives(cast("Any", None), PROCESSED, RECIPE).keys(upload, [variant])[0]


@given(NAMES)
@settings(deadline=None)
def test_keys_fit_s3s_limit(image_id: str) -> None:
    upload = anonymous(image_id, version="v" * 64)
    assert len(key_of(upload, Variant(name="n" * 64, width=1, format="webp")).encode()) <= 1024


@given(NAMES | CLASHING, NAMES | CLASHING, st.sampled_from(["v1", "v2"]), st.sampled_from(["v1", "v2"]))
@example(DIGEST, LONG, "v1", "v1")
@example("a", "a/v1", "v1", "v1")
@settings(deadline=None)
def test_images_never_share_keys(one: str, other: str, version: str, other_version: str) -> None:
    same = (one, version) == (other, other_version)
    assert (key_of(anonymous(one, version)) == key_of(anonymous(other, other_version))) == same


def test_short_ids_have_no_digest() -> None:
    longest = "ü" * (LONGEST_IMAGE_ID // 2)
    assert key_of(anonymous(longest)).startswith(f"{longest}/")
    assert key_of(anonymous(longest + "x")).startswith("sha256-")


# Deletion


def deletion_of(upload: Upload, sequencer: str, *, whole: bool = True) -> Deletion:
    return Deletion(
        bucket=upload.bucket,
        key=upload.key,
        version_id="the-marker" if whole else upload.version_id,
        sequencer=sequencer,
        time=upload.time,
        whole_image=whole,
    )


def flattened(versions: dict[str, list[str]]) -> list[str]:
    return sorted(key for keys in versions.values() for key in keys)


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key)[:24])
def test_deletion_includes_every_version(
    s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives, key: str
) -> None:
    uploads = [originals.put(key, data) for data in (b"1", b"2")]
    for upload in uploads:
        store(derivatives, upload)
    versions = derivatives.versions(originals.delete(key))
    assert set(versions) == {upload.version for upload in uploads}
    assert flattened(versions) == sorted(stored_keys(s3))
    derivatives.delete(flattened(versions))
    assert stored_keys(s3) == []


def test_deletion_includes_former_variants(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    upload = originals.put("a", b"1")
    store(derivatives, upload)
    derivatives.store(upload, original_of(upload), [Variant(name="of-old", width=9)], RENDERED[:1])
    assert len(flattened(derivatives.versions(originals.delete("a")))) == 3


@pytest.mark.parametrize("whole", [True, False])
def test_longer_keys_are_not_deleted(originals: OriginalsBucket, derivatives: Derivatives, whole: bool) -> None:
    upload = originals.put("a", b"1")
    neighbours = ["a/b", "a/", "a//b", "ab", "A", f"a/{upload.version}", f"a/{upload.version}/b"]
    for neighbour in neighbours:
        store(derivatives, originals.put(neighbour, b"2"))
    own = [variant.key for variant in store(derivatives, upload)]
    deletion = originals.delete("a") if whole else originals.delete_version("a", upload.version_id)
    assert flattened(derivatives.versions(deletion)) == sorted(own)


def test_one_version_is_deleted_alone(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    first, second = originals.put("a", b"1"), originals.put("a", b"2")
    store(derivatives, first)
    store(derivatives, second)
    versions = derivatives.versions(originals.delete_version("a", first.version_id))
    assert versions == {first.version: sorted(derivatives.keys(first, VARIANTS))}


def test_newer_versions_survive_a_deletion(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    before = originals.put("a", b"1")
    deletion = originals.delete("a")
    after = originals.put("a", b"2")
    store(derivatives, before)
    store(derivatives, after)
    assert set(derivatives.versions(deletion)) == {before.version}


def test_version_of_the_deletion_is_included(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    """An engine with the same sequencer in all events deletes derivatives, too."""
    upload = originals.put("a", b"1")
    store(derivatives, upload)
    assert set(derivatives.versions(deletion_of(upload, upload.sequencer))) == {upload.version}


def test_deletion_of_nothing_deletes_nothing(originals: OriginalsBucket, derivatives: Derivatives) -> None:
    assert derivatives.versions(originals.delete("a")) == {}
    derivatives.delete([])


def test_vanished_derivatives_are_ignored(s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives) -> None:
    upload = originals.put("a", b"1")
    stored = store(derivatives, upload)
    refuse(s3, "s3.HeadObject", 404, "404", times=1)
    versions = derivatives.versions(originals.delete("a"))
    assert set(versions) == {upload.version}
    s3.delete_object(Bucket=PROCESSED, Key=stored[0].key)
    derivatives.delete(flattened(versions))
    assert stored_keys(s3) == []


def test_more_derivatives_than_one_request_handles(
    s3: S3Client, originals: OriginalsBucket, derivatives: Derivatives
) -> None:
    upload = originals.put("a", b"1")
    for number in range(1001):
        s3.put_object(
            Bucket=PROCESSED,
            Key=f"a/{upload.version}/{number:04}.jpg",
            Body=b"",
            Metadata={"sequencer": upload.sequencer},
        )
    keys = flattened(derivatives.versions(originals.delete("a")))
    assert len(keys) == 1001
    journal = journal_of(s3)
    derivatives.delete(keys)
    assert journal == ["DeleteObjects", "DeleteObjects"]
    assert stored_keys(s3) == []


def test_partly_refused_deletion_is_a_failure(s3: S3Client, derivatives: Derivatives) -> None:
    errors = [{"Key": "a", "Code": "InternalError", "Message": "try again"}]
    answer_instead(s3, "s3.DeleteObjects", 200, {"Errors": errors}, times=1)
    with pytest.raises(DeletionIncompleteError, match=r"1 derivatives were not deleted.*InternalError"):
        derivatives.delete(["a", "b"])


def test_forbidden_deletion_is_a_failure(s3: S3Client, derivatives: Derivatives) -> None:
    refuse(s3, "s3.DeleteObjects", 403, "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        derivatives.delete(["a"])
