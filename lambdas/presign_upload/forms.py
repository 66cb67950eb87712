"""Forms for uploads by POST. S3 accepts only what was signed."""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

    from presign_upload.settings import Settings

# The same as in the API's templates (`owner` in 7_serve.tf): one part of a key, and neither . nor ..
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9=,.@_:-]{0,127}")
# The same as in the API's contract (`Upload` in terraform/api/openapi.json).
_CONTENT_TYPE = re.compile(r"application/octet-stream|image/(avif|gif|jpeg|png|tiff|webp)")
_NAME = re.compile(r"(?=.*[!-~])[ -~]{1,200}")


class InvalidRequestError(ValueError):
    """The request for a form is not valid; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An upload that a caller asks for.

    Attributes:
        owner: The caller, according to the API.
        content_type: Content type of the upload.
        name: Name of the file, for people, or None.
    """

    owner: str
    content_type: str
    name: str | None = None

    def __post_init__(self) -> None:
        """Check that the values are valid in a key and in metadata.

        Raises:
            InvalidRequestError: A value is malformed.
        """
        for what, value, pattern in (
            ("owner", self.owner, _OWNER),
            ("content_type", self.content_type, _CONTENT_TYPE),
            ("name", self.name, _NAME),
        ):
            if value is None and what == "name":
                continue
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise InvalidRequestError(f"{value!r} is not a valid {what} of an upload")

    @classmethod
    def from_body(cls, owner: str, body: str) -> Request:
        """Read a request's body: a JSON object, in base64 if API Gateway treats the body as bytes.

        Raises:
            InvalidRequestError: The body is not such an object, or a value is malformed.
        """
        try:
            parsed = json.loads(body if body.lstrip().startswith("{") else base64.b64decode(body, validate=True))
        except (ValueError, RecursionError) as error:
            raise InvalidRequestError(f"the body is not JSON: {error}") from error
        known: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
        if known.keys() not in ({"content_type"}, {"content_type", "name"}) or None in known.values():
            raise InvalidRequestError(
                f"the body must be an object with content_type and optionally name, not {parsed!r}"
            )
        return cls(owner=owner, **known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that uploads one image.

    Attributes:
        id: Id of the image, without the owner.
        url: Address to send the form to, by POST.
        fields: Fields to send before the file.
        expires_in_seconds: Validity of the form.
    """

    id: str
    url: str
    fields: Mapping[str, str]
    expires_in_seconds: int


def presign(s3: S3Client, settings: Settings, request: Request) -> Form:
    """Sign a form for one upload, under a new key that begins with the owner.

    S3 refuses another key, another content type, an empty or too large file, and any use after
    `settings.expiry_seconds`. If the form is sent again within that time, the image gets a new version.
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
    return Form(id=image, url=signed["url"], fields=signed["fields"], expires_in_seconds=settings.expiry_seconds)
