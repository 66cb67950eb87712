"""Forms for uploads by POST: S3 takes exactly what was signed."""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

    from presign_upload.settings import Settings

# As the API's templates have it (`owner` in 7_serve.tf): one part of a key, and no step up.
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9=,.@_:-]{0,127}")
# As the contract has them (`Upload` in terraform/api/openapi.json).
_CONTENT_TYPE = re.compile(r"application/octet-stream|image/(avif|gif|jpeg|png|tiff|webp)")
_NAME = re.compile(r"(?=.*[!-~])[ -~]{1,200}")


class InvalidRequestError(ValueError):
    """A form was asked for that must not be given; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller wants to upload.

    Attributes:
        owner: Who the API says the caller is.
        content_type: What the upload will be sent as.
        name: The file's own name, for people; None if it has none.
    """

    owner: str
    content_type: str
    name: str | None = None

    def __post_init__(self) -> None:
        """Check that the values can be parts of a key and of metadata.

        Raises:
            InvalidRequestError: One of the values is malformed.
        """
        for what, value, pattern in (
            ("owner", self.owner, _OWNER),
            ("content_type", self.content_type, _CONTENT_TYPE),
            ("name", self.name, _NAME),
        ):
            if value is None and what == "name":
                continue
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise InvalidRequestError(f"{value!r} cannot be the {what} of an upload")

    @classmethod
    def from_body(cls, owner: str, body: str) -> Request:
        """Read a request's body: a JSON object, which API Gateway passes on in base64 if it takes it for bytes.

        Raises:
            InvalidRequestError: The body is not such an object, or one of its values is malformed.
        """
        try:
            parsed = json.loads(body if body.lstrip().startswith("{") else base64.b64decode(body, validate=True))
        except (ValueError, RecursionError) as error:
            raise InvalidRequestError(f"the body is not JSON: {error}") from error
        known: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
        if known.keys() not in ({"content_type"}, {"content_type", "name"}) or None in known.values():
            raise InvalidRequestError(f"the body is not an object with content_type and optionally name: {parsed!r}")
        return cls(owner=owner, **known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that uploads one image: its id, where to POST it, and the fields to send before the file."""

    id: str
    url: str
    fields: Mapping[str, str]
    expires_in: int


def signing_client(environment: Mapping[str, str]) -> S3Client:
    """Return a client that signs for the address of its region; it makes no request.

    botocore signs forms for S3's global address unless it is set to use the bucket's name as a host. Browsers do not
    follow the redirect from there, and newer regions have none. An endpoint that the environment sets takes buckets in
    the path, as the bucket's name before it need not resolve.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    overridden = any(environment.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    return boto3.client(
        "s3",
        config=Config(
            signature_version="s3v4",
            s3={
                "addressing_style": "auto" if overridden else "virtual",
                "us_east_1_regional_endpoint": "regional",
            },
        ),
    )


def presign(s3: S3Client, settings: Settings, request: Request) -> Form:
    """Sign a form for one upload under a key of its own, that begins with the owner.

    S3 refuses another key, another content type, no bytes or too many of them, and anything after
    `settings.expiry_seconds`. Within that time the form can be sent again: then there is a new version of the image.
    """
    image = str(uuid.uuid4())
    fixed = {"Content-Type": request.content_type}
    if request.name is not None:
        fixed["x-amz-meta-original-name"] = request.name
    signed = s3.generate_presigned_post(
        Bucket=settings.originals_bucket,
        Key=f"{request.owner}/{image}",
        Fields=dict(fixed),
        Conditions=[*({name: value} for name, value in fixed.items()), ["content-length-range", 1, settings.max_bytes]],
        ExpiresIn=settings.expiry_seconds,
    )
    return Form(id=image, url=signed["url"], fields=signed["fields"], expires_in=settings.expiry_seconds)
